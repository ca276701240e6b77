-- Whether the standby keeps vacuum on the primary from rows that its queries read: on or off.
SELECT current_setting('hot_standby_feedback')
