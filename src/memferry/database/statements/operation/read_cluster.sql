-- What a cluster, and every physical copy of it, was given when it was made. As the owner.
SELECT system_identifier FROM pg_control_system()
