/** `tenantry view`: the cluster as the controller sees it, in three tables. */
import { Command } from "commander";
import type { ViewSnapshot } from "../controller/io/index.js";
import { ask } from "./ask.js";
import { controllerOption } from "./explain-command.js";
import { print, short, styled, table } from "./terminal.js";
import { readTls, type TlsOptions, withTls } from "./tls-options.js";

/** Tenants that fit on a screen. */
const ON_SCREEN = 20;

export function viewCommand(): Command {
  return withTls(new Command("view"))
    .description("show the cluster as the controller sees it")
    .addOption(controllerOption())
    .option("--json", "the whole view, for scripts")
    .action(async ({ controller, json, ...tls }: { controller: string; json?: true } & TlsOptions) => {
      const view = await ask<ViewSnapshot>(controller, "/api/view", readTls(tls));
      print(json ? JSON.stringify(view) : viewText(view));
    });
}

/** The view, for a terminal. */
function viewText(view: ViewSnapshot): string {
  const live = view.instances.filter((instance) => instance.live).length;
  const state = view.learning ? "learning" : view.mode;
  const head = `epoch ${view.epoch} · ${state} · ${live} of ${view.instances.length} instances live · ${view.tenantCount} tenant${view.tenantCount === 1 ? "" : "s"}`;
  const policies = view.policies
    .filter((policy) => policy.mode !== "off")
    .map(({ name, mode, tenants, limits, decisive, apart, refused, origin }) => [
      name,
      mode,
      tenants,
      limits,
      decisive,
      apart.tenants === 0 ? "" : `would hold ${apart.tenants} more or tighter`,
      refused ?? origin?.rejected ?? "",
    ]);
  const resources = view.resources.map((resource) => {
    const [busiest] = Object.entries(resource.tenants).sort(([, a], [, b]) => b.share - a.share);
    const by = busiest === undefined ? "" : `${busiest[0]} ${short(busiest[1].share * 100)} %`;
    const { instance, slowdown } = resource.hottest;
    return [resource.name, resource.slowdown, resource.load, resource.unit, by, `${instance} ${short(slowdown)}`];
  });
  const points = view.points.flatMap((point) =>
    Object.entries(point.tenants)
      .slice(0, ON_SCREEN)
      .map(([tenant, figures]) => [
        point.name,
        tenant,
        figures.throughputPerSec,
        figures.ratePerSec,
        // An average over the last windows: what is left of one long ago is nobody who waits.
        figures.waiting < 0.005 ? 0 : figures.waiting,
        figures.p99Us / 1000,
        figures.reason === null
          ? ""
          : `${figures.reason.policy}${figures.reason.resource === null ? "" : `: ${figures.reason.resource}`}`,
      ]),
  );
  return [
    styled("bold", head),
    section(table(["policy", "mode", "tenants", "limits", "in force", "apart", "refused"], policies), policies.length),
    section(table(["resource", "slowdown", "load/s", "unit", "mostly", "hottest"], resources), resources.length),
    section(table(["point", "tenant", "through/s", "rate/s", "waiting", "p99 ms", "because"], points), points.length),
  ].join("");
}

function section(text: string, rows: number): string {
  return rows === 0 ? "" : `\n\n${text}`;
}
