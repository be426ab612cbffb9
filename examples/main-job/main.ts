/**
 * The main job, `npm start`: real services on this machine, four tenants, and a flood, before and after. See `--help`.
 *
 * Every phase has the same lead-in, which is not measured: in it loops start, queues fill or drain, and rates settle.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ACTS, type Act } from "./acts.js";
import { fetchView, setMode } from "./admin.js";
import { Cluster } from "./cluster.js";
import { bottleneckOf, figuresOf, type Moment } from "./measure.js";
import { HELP, type Options, parseOptions } from "./options.js";
import { page, type Stretch } from "./pictures.js";
import { type Screen, screenOn } from "./screen.js";
import { line, type Phase, sentences } from "./story.js";

/** What the figures are of, until the flood has shown it. */
const EXPECTED_BOTTLENECK = "storage/workers";
const LOOK_EVERY_MS = 1000;

let cluster: Cluster | undefined;
let leaving = false;

/** Ends everything and goes, whatever is going on. */
async function leave(code: number, why?: string): Promise<void> {
  if (leaving) return;
  leaving = true;
  if (why !== undefined) process.stderr.write(`\n${why}\n`);
  await cluster?.end();
  process.exit(code);
}

async function run(options: Options): Promise<void> {
  const act = ACTS[options.policy];
  const screen = screenOn(process.stdout, act);
  cluster = new Cluster((error) => void leave(1, error.message), act);
  screen.print("starting a controller, a gateway, two storage services, a database and a load generator …");
  await cluster.start();
  screen.print(`controller ${cluster.controllerUrl}/api/view · gateway ${cluster.gatewayUrl}`);
  screen.print(
    `three phases of ${options.phaseSec} s; the first ${options.leadInSec} s of each are its lead-in and are not measured`,
  );
  const camera = new Camera(cluster, act, screen);
  for (const tenant of act.calm) cluster.play(tenant);
  await phase("calm", camera, options);
  for (const tenant of act.floods) cluster.play(tenant);
  await phase("flood observed", camera, options);
  await setMode(cluster.controllerAddress, "ENFORCE");
  await phase("flood enforced", camera, options);

  const bottleneck = act.bottleneck ?? bottleneckOf(camera.measured[1].moments);
  const phases = camera.measured.map(({ name, moments }): Phase => ({ name, ...figuresOf(moments, bottleneck, act) }));
  screen.print(`\n${sentences(phases, options.policy, act).join("\n")}\n`);
  const { moments, stretches } = camera;
  await write(options.report, page({ policy: options.policy, act, phases, moments, stretches }));
  screen.print(`pictures: ${options.report}`);
  if (options.json !== undefined) {
    const { policy, phaseSec, leadInSec } = options;
    const verdict = Object.fromEntries(act.verdict(phases).map(({ key, value }) => [key, value]));
    await write(options.json, `${JSON.stringify({ policy, phaseSec, leadInSec, phases, verdict }, null, 2)}\n`);
  }
  if (options.keep) await keep(camera);
}

/** Everything seen so far. */
class Camera {
  readonly #cluster: Cluster;
  readonly act: Act;
  readonly screen: Screen;
  readonly #startMs = performance.now();
  #lastSec = 0;
  readonly moments: Moment[] = [];
  readonly stretches: Stretch[] = [];
  /** The measured part of each phase. */
  readonly measured: { name: Phase["name"]; moments: Moment[] }[] = [];

  constructor(cluster: Cluster, act: Act, screen: Screen) {
    this.#cluster = cluster;
    this.act = act;
    this.screen = screen;
  }

  get nowSec(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  async look(): Promise<Moment> {
    const [seens, view] = await Promise.all([this.#cluster.take(), fetchView(this.#cluster.controllerUrl)]);
    const atSec = this.nowSec;
    const moment = { atSec, forSec: atSec - this.#lastSec, seens, view };
    this.#lastSec = atSec;
    this.moments.push(moment);
    return moment;
  }
}

async function phase(name: Phase["name"], camera: Camera, { phaseSec, leadInSec }: Options): Promise<void> {
  const fromSec = camera.nowSec;
  const moments: Moment[] = [];
  for (let passedSec = 0; passedSec < phaseSec; ) {
    const partEndsSec = passedSec < leadInSec ? leadInSec : phaseSec;
    await sleep(Math.min(LOOK_EVERY_MS, (partEndsSec - passedSec) * 1000));
    const moment = await camera.look();
    if (passedSec >= leadInSec) moments.push(moment);
    passedSec = Math.max(camera.nowSec - fromSec, passedSec + 0.001);
    const part = passedSec < leadInSec ? "lead-in" : `${Math.min(passedSec, phaseSec).toFixed(0)} of ${phaseSec} s`;
    camera.screen.draw(`${name} (${part})`, camera.moments, EXPECTED_BOTTLENECK);
  }
  camera.stretches.push({ name, fromSec, toSec: camera.nowSec });
  camera.measured.push({ name, moments });
  camera.screen.print(line({ name, ...figuresOf(moments, EXPECTED_BOTTLENECK, camera.act) }));
}

/** Shows how it goes on, until Ctrl-C. */
async function keep(camera: Camera): Promise<void> {
  camera.screen.print("staying up; Ctrl-C ends it");
  for (;;) {
    await sleep(LOOK_EVERY_MS);
    await camera.look();
    camera.moments.splice(0, camera.moments.length - 10);
    camera.screen.draw("flood enforced", camera.moments, EXPECTED_BOTTLENECK);
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

process.on("SIGINT", () => void leave(130, "ending"));
process.on("SIGTERM", () => void leave(143));
process.on("SIGHUP", () => void leave(129));
// Whoever read the output has gone.
process.stdout.on("error", () => void leave(0));

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
  } else {
    await run(options);
    await leave(0);
  }
} catch (error) {
  await leave(1, (error as Error).message);
}
