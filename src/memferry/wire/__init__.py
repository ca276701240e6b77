"""Wire types: one struct per body and answer decodes it, describes it, and serves clients.

The schema of a body also tells what the service's own checks refuse, which name the field. Answers
take fields that they do not know: a newer service may send more.
"""
