/** What is sent to another thread arrives as plain data: here it is a view again. */
import { Point, Resource, type View } from "../view.js";

/** Gives resources and points of a view that came through `postMessage` their methods back; in place. */
export function revived(view: View): View {
  for (const resource of view.resources) Object.setPrototypeOf(resource, Resource.prototype);
  for (const point of view.points) Object.setPrototypeOf(point, Point.prototype);
  return view;
}
