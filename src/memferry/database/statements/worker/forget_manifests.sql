-- Manifests go with the bytes of their exports; their lines in the chain stay.
DELETE FROM manifest_queue
