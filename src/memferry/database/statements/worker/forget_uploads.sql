-- What is left of uploads whose process died. The lease has lapsed for good: nobody can renew it.
DELETE FROM upload_queue WHERE leased_until < now() - interval '1 day'
