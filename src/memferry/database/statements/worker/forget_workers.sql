-- Workers that died are shown for a day.
DELETE FROM workers WHERE seen_at < now() - interval '1 day'
