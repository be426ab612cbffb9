/** `tenantry policy`: a workshop for writing one's own. */
import { Command } from "commander";
import { policyCheckCommand } from "./policy-check-command.js";
import { policyNewCommand } from "./policy-new-command.js";
import { policyTryCommand } from "./policy-try-command.js";

export function policyCommand(): Command {
  return new Command("policy")
    .helpCommand(false)
    .description("write a policy of one's own: new, check, try")
    .addCommand(policyNewCommand())
    .addCommand(policyCheckCommand())
    .addCommand(policyTryCommand());
}
