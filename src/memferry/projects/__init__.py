"""The projects of a tenant: namespaces with a description."""
