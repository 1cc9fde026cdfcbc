// ReactPy's client turns an event into an object by walking every enumerable DOM property: half a megabyte for one key
// in a form of ten fields. This hides what no Python handler reads. It must run before the client loads.
(() => {
  const kept = new Set((
    "id name value checked type tagName className dataset selected selectedIndex multiple files elements href disabled " +
    "target currentTarget key code ctrlKey shiftKey altKey metaKey button buttons clientX clientY pageX pageY " +
    "offsetX offsetY deltaX deltaY data inputType repeat detail isTrusted valueAsNumber"
  ).split(" "));
  const roots = [Node, Event, EventTarget];
  for (const name of Object.getOwnPropertyNames(window)) {
    const kind = window[name];
    if (typeof kind !== "function" || !kind.prototype) continue;
    const prototype = kind.prototype;
    if (!roots.some((root) => kind === root || prototype instanceof root)) continue;
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (property.enumerable && property.configurable && !kept.has(key)) {
        Object.defineProperty(prototype, key, { ...property, enumerable: false });
      }
    }
  }
  // <select> and <form> can be iterated, so the client would send them as lists without a `value`.
  delete HTMLSelectElement.prototype[Symbol.iterator];
  delete HTMLFormElement.prototype[Symbol.iterator];
  // The client also sends the elements around the text selection, with all that was typed there. No handler reads it;
  // scripts that want the selection have document.getSelection().
  window.getSelection = () => null;
})();
