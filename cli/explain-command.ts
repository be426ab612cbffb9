/** `tenantry explain TENANT`: who slows it down, by which rule, because of which resource, and what would help. */
import { Command, Option } from "commander";
import type { Explanation } from "../controller/io/index.js";
import { controllerUrl } from "./arguments.js";
import { ask } from "./ask.js";
import { print } from "./terminal.js";
import { readTls, type TlsOptions, withTls } from "./tls-options.js";

const DEFAULT_CONTROLLER = "http://127.0.0.1:7412";

/** `--controller URL`, of commands that look. */
export function controllerOption(): Option {
  return new Option("--controller <URL>", "the controller's HTTP side").default(DEFAULT_CONTROLLER).argParser(controllerUrl);
}

export function explainCommand(): Command {
  return withTls(new Command("explain"))
    .description("say who slows a tenant down, by which rule, because of which resource, and what would help")
    .argument("TENANT", "the tenant's id")
    .addOption(controllerOption())
    .option("--json", "the whole explanation, for scripts")
    .action(async (tenant: string, { controller, json, ...tls }: { controller: string; json?: true } & TlsOptions) => {
      const explanation = await ask<Explanation>(controller, `/api/explain?tenant=${encodeURIComponent(tenant)}`, readTls(tls));
      print(json ? JSON.stringify(explanation) : explanation.sentence);
    });
}
