/** What each tenant has been given, as those who measure see it. */
export interface Progress {
  /** Cost units of what it has completed, by tenant. */
  readonly done: Float64Array;
  /** Cost units worked off on its running requests, by tenant; right only while a sample is taken. */
  readonly running: Float64Array;
  /** Requests waiting or running, by tenant. */
  readonly outstanding: Int32Array;
}
