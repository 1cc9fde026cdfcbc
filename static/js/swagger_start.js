// Starts Swagger UI on /docs. A file of its own: the page allows no inline script.
window.addEventListener("load", () => {
  window.ui = window.SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: false,
    validatorUrl: null, // the default asks a validator on another host
    tryItOutEnabled: true,
    defaultModelsExpandDepth: 0,
    syntaxHighlight: { activated: true, theme: "agate" },
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
  });
});
