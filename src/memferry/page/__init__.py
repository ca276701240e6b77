"""The web page: screens for people over the services of the API, from this host alone."""
