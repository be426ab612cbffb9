/** Things in order of arrival: a doubly linked list through the things themselves, so that any may leave in O(1). */
export interface Linked {
  next: Linked | undefined;
  previous: Linked | undefined;
}

export class LinkedQueue<T extends Linked> {
  head: T | undefined = undefined;
  tail: T | undefined = undefined;

  push(item: T): void {
    item.previous = this.tail;
    if (this.tail === undefined) this.head = item;
    else this.tail.next = item;
    this.tail = item;
  }

  shift(): T | undefined {
    const item = this.head;
    if (item !== undefined) this.remove(item);
    return item;
  }

  remove(item: T): void {
    const { previous, next } = item;
    if (previous === undefined) this.head = next as T | undefined;
    else previous.next = next;
    if (next === undefined) this.tail = previous as T | undefined;
    else next.previous = previous;
    item.next = undefined;
    item.previous = undefined;
  }
}
