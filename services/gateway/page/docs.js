/** The API reference: Swagger UI over the OpenAPI document of this installation. */

window.SwaggerUIBundle({
  url: "/openapi.json",
  domNode: document.getElementById("reference"),
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: false,
  validatorUrl: null, // by default it sends the document's URL to a validator on another host
});
