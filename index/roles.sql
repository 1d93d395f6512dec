-- Who may do what. Run it once, before the first build, as a superuser in the index's own database:
--     psql --dbname=faq --file=roles.sql
-- Then give each program a login of its own in one of the two groups:
--     CREATE ROLE faq_builder LOGIN PASSWORD '...' IN ROLE milkwise_build;
--     CREATE ROLE faq_server LOGIN PASSWORD '...' IN ROLE milkwise_read;

CREATE EXTENSION IF NOT EXISTS vector;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milkwise_build') THEN
        CREATE ROLE milkwise_build NOLOGIN;   -- writes and migrates: `milkwise build`
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milkwise_read') THEN
        CREATE ROLE milkwise_read NOLOGIN;    -- SELECT and nothing else: `milkwise serve`, `ask`, `check`
    END IF;
END
$$;

CREATE SCHEMA IF NOT EXISTS milkwise AUTHORIZATION milkwise_build;
GRANT USAGE ON SCHEMA milkwise TO milkwise_read;
GRANT SELECT ON ALL TABLES IN SCHEMA milkwise TO milkwise_read;
ALTER DEFAULT PRIVILEGES FOR ROLE milkwise_build IN SCHEMA milkwise GRANT SELECT ON TABLES TO milkwise_read;
