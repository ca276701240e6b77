"""What sources share: text, JSON, tables and times, read in bounded memory."""
