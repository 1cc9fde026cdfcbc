// Tells the reader when the page has lost its server, and goes to the sign-in form when the session has ended.
(() => {
  const SIGNED_OUT = 4401;
  const Native = window.WebSocket;
  const show = (text) => {
    const box = document.getElementById("connection");
    if (box) {
      box.textContent = text;
      box.hidden = !text;
    }
  };
  let everOpen = false;
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      this.addEventListener("open", () => {
        everOpen = true;
        show("");
      });
      this.addEventListener("close", (event) => {
        if (event.code === SIGNED_OUT) {
          const here = window.location.pathname + window.location.search;
          window.location.assign("/sign-in?next=" + encodeURIComponent(here));
        } else {
          show(everOpen ? "Connection lost. Trying again…" : "This page could not connect. Reload it to try again.");
        }
      });
      window.addEventListener("pagehide", () => this.close());
    }
  };
})();
