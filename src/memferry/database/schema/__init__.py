"""The schema: numbered migrations, forward only, and the views that are made anew after them."""
