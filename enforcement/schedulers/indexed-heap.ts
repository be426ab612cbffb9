/**
 * A binary heap of small integers (tenants) by key, smallest first, ties to the lower integer; any member's key may change in
 * O(log n). Keys lie in heap order beside the members, so that sifting walks two small arrays and nothing else.
 */
import { withIndex, withRow } from "../columns.js";

export class IndexedHeap {
  size = 0;
  #keys = new Float64Array(16); // by place
  #members = new Int32Array(16); // by place
  #places = new Int32Array(16).fill(-1); // by member; -1: absent

  /** The member with the smallest key; -1 when empty. */
  first(): number {
    return this.size === 0 ? -1 : this.#members[0];
  }

  firstKey(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : this.#keys[0];
  }

  has(member: number): boolean {
    return member < this.#places.length && this.#places[member] >= 0;
  }

  /** The key of a member that is present. */
  keyOf(member: number): number {
    return this.#keys[this.#places[member]];
  }

  /** The members in heap order, 0 … size − 1: for walking over all of them. */
  memberAt(place: number): number {
    return this.#members[place];
  }

  /** Adds a member, or changes its key. */
  set(member: number, key: number): void {
    if (this.has(member)) {
      this.#move(this.#places[member], member, key);
      return;
    }
    this.#places = withIndex(this.#places, member, -1);
    const place = this.size;
    this.size += 1;
    if (place >= this.#keys.length) {
      this.#keys = withRow(this.#keys, 1, place);
      this.#members = withIndex(this.#members, place);
    }
    this.#up(place, member, key);
  }

  remove(member: number): void {
    if (!this.has(member)) return;
    const place = this.#places[member];
    this.#places[member] = -1;
    this.size -= 1;
    const last = this.size;
    if (place !== last) this.#move(place, this.#members[last], this.#keys[last]);
  }

  clear(): void {
    for (let place = 0; place < this.size; place++) this.#places[this.#members[place]] = -1;
    this.size = 0;
  }

  #move(place: number, member: number, key: number): void {
    const up = (place - 1) >> 1;
    if (place > 0 && this.#before(key, member, up)) this.#up(place, member, key);
    else this.#down(place, member, key);
  }

  #before(key: number, member: number, place: number): boolean {
    const other = this.#keys[place];
    return key < other || (key === other && member < this.#members[place]);
  }

  #up(from: number, member: number, key: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#before(key, member, parent)) break;
      this.#put(place, this.#members[parent], this.#keys[parent]);
      place = parent;
    }
    this.#put(place, member, key);
  }

  #down(from: number, member: number, key: number): void {
    const size = this.size;
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#before(this.#keys[child + 1], this.#members[child + 1], child)) child += 1;
      if (this.#before(key, member, child)) break;
      this.#put(place, this.#members[child], this.#keys[child]);
      place = child;
    }
    this.#put(place, member, key);
  }

  #put(place: number, member: number, key: number): void {
    this.#keys[place] = key;
    this.#members[place] = member;
    this.#places[member] = place;
  }
}
