"""Python that runs in the browser: small functions that the server calls through `reactpy_bridge`."""
