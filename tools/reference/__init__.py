"""The reference of the API: pages made of the OpenAPI document and of examples that were run."""
