/** `tenantry policy new NAME`: writes a page to start from, and nothing over what is there. */
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { policyPage } from "./policy-page.js";
import { CommandFailure, print } from "./terminal.js";

export function policyNewCommand(): Command {
  return new Command("new")
    .description("write a policy to start from, NAME.ts, which runs as it is")
    .argument("<NAME>", "what to call it, such as even-shares")
    .action(run);
}

function run(name: string): void {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) {
    throw new CommandFailure(
      `a policy cannot be called "${name.slice(0, 80)}"; expected small letters, digits and "-", as in even-shares`,
      2,
    );
  }
  const file = `${name}.ts`;
  try {
    writeFileSync(file, policyPage(name), { flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new CommandFailure(`${file} is there already, and was left as it is; choose another name`);
    throw new CommandFailure(`${file} cannot be written: ${code ?? error}`);
  }
  print(`${file} is written. Next: npx tenantry policy check ${file}`);
}
