/** The page that `tenantry policy new` writes: a policy that runs as it is, with what one needs to know beside it. */

/** @param name of the policy, which is the file's as well */
export function policyPage(name: string): string {
  return `/**
 * ${name}: what is fair here, in a sentence or two.
 *
 * A policy is a function: from what was seen in the last window (\`view\`) to how much each tenant may do in the next one
 * (\`rates\`). It has no memory, no clock and no chance: the same view gives the same rates. What it does not limit is unlimited.
 *
 *   npx tenantry policy check ${name}.ts                                 types, and the rules every policy keeps to
 *   npx tenantry policy try ${name}.ts --scenario retro/bottleneck-fairness  what it does, beside what the current policy does
 */
import { definePolicy, maxMinFair, Rates } from "tenantry/policies";

export default definePolicy({
  name: "${name}",
  // Numbers one may turn, with their defaults; the controller's configuration can set others.
  params: {
    /** A resource is full when work takes this many times as long as it does in calm. */
    threshold: 4,
    /** Part of its load that a full resource sheds in one window. */
    cut: 0.1,
  },
  decide(view, { threshold, cut }) {
    const rates = new Rates(view);
    const weights = view.tenants.map((tenant) => tenant.weight);

    // Resources are what is short: a disk, a pool, an event loop. slowdown is 1 in calm, 2 when work takes twice as long.
    for (const resource of view.resources) {
      if (resource.slowdown <= threshold) continue;

      // What each may put on it: nobody more than it asks for, and what that leaves is shared by weight.
      const fair = maxMinFair((1 - cut) * resource.totalLoad(), resource.demands, weights);

      for (const tenant of view.tenants) {
        const share = fair[tenant.index];
        if (share >= resource.demand(tenant)) continue;

        // Limits are set at points, where requests enter; only those whose requests go on to this resource can help it.
        for (const point of view.points) {
          if (point.feeds(resource)) rates.limit(point, tenant, point.rateFor(resource, tenant, share), resource);
        }
      }
    }
    return rates;
  },
});
`;
}
