-- The identifier that a cluster gets at initdb, and shares with every physical copy. As the owner.
SELECT system_identifier FROM pg_control_system()
