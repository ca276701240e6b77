-- Words are indexed tenant by tenant, as written and by their English stems (docs/search.md).

-- The stemmer of PostgreSQL without its list of stop words: a query of stop words alone finds rows as well. All kinds
-- of tokens pass it, so that ts_lexize() tells the stem of any word.
CREATE TEXT SEARCH DICTIONARY memferry.english_stems (TEMPLATE = pg_catalog.snowball, Language = english);
CREATE TEXT SEARCH CONFIGURATION memferry.stems (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION memferry.stems
    ALTER MAPPING REPLACE pg_catalog.simple WITH memferry.english_stems;

DROP INDEX memferry.memories_by_words;

-- ASCII punctuation separates words, so that "node" finds "Node.js" and "4" finds "GPT-4": the parser alone would keep
-- host names, paths and signed numbers together. translate() takes 15 times as long.
CREATE FUNCTION memferry.plain_text(content text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(content, '[][!"#$%&''()*+,./:;<=>?@\\^_`{|}~-]', ' ', 'g');

-- What the keys of one tenant begin with: 24 random bits of its id. Tenants that share them by chance share lists of rows
-- in the index, and find and count nothing of each other: the views compare the whole id.
CREATE FUNCTION memferry.tenant_mark(tenant_id uuid) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN encode(substring(uuid_send(tenant_id) FROM 14), 'base64');

-- The keys of one memory: its words; with '~' in front the stems that are not words of it, since no word holds
-- punctuation; and '%' if it belongs to the sample. Words beyond their 500th character count as one: a key has 2,046
-- bytes. Names nothing of this schema, which the service role may not enter: rows are indexed with the rights of who
-- saves them.
CREATE FUNCTION memferry.make_keys(mark text, plain text, stemmer regconfig, is_sampled boolean) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    words text[] := tsvector_to_array(to_tsvector('pg_catalog.simple', plain));
    stems text[] := tsvector_to_array(ts_delete(to_tsvector(stemmer, plain), words));
BEGIN
    RETURN array_to_tsvector(ARRAY(
        SELECT mark || left(word, 500) FROM unnest(words) AS word
        UNION ALL SELECT mark || '~' || left(stem, 500) FROM unnest(stems) AS stem
        UNION ALL SELECT mark || '%' WHERE is_sampled));
END
$$;

-- The same for long text: where its different words exceed PostgreSQL's limit of 1 MB for a tsvector, it is found by the
-- words of its beginning. A block with EXCEPTION would cost each short text a tenth of its save.
CREATE FUNCTION memferry.make_long_keys(mark text, plain text, stemmer regconfig, is_sampled boolean) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    most integer;
    words text[];
    stems text[];
BEGIN
    FOREACH most IN ARRAY ARRAY[1048576, 100000] LOOP
        BEGIN
            words := tsvector_to_array(to_tsvector('pg_catalog.simple', left(plain, most)));
            stems := tsvector_to_array(ts_delete(to_tsvector(stemmer, left(plain, most)), words));
            RETURN array_to_tsvector(ARRAY(
                SELECT mark || left(word, 500) FROM unnest(words) AS word
                UNION ALL SELECT mark || '~' || left(stem, 500) FROM unnest(stems) AS stem
                UNION ALL SELECT mark || '%' WHERE is_sampled));
        EXCEPTION WHEN program_limit_exceeded THEN
            CONTINUE;
        END;
    END LOOP;
END
$$;

-- The sample is every 128th memory by its id: common words are counted in it. The cost is that of a long text, so that
-- what the index has is not made again.
CREATE FUNCTION memferry.search_keys(tenant_id uuid, id uuid, content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT COST 100000
RETURN CASE
    WHEN octet_length(content) <= 100000 THEN memferry.make_keys(
        memferry.tenant_mark(tenant_id), memferry.plain_text(content), 'memferry.stems',
        get_byte(uuid_send(id), 15) & 127 = 0)
    ELSE memferry.make_long_keys(
        memferry.tenant_mark(tenant_id), memferry.plain_text(content), 'memferry.stems',
        get_byte(uuid_send(id), 15) & 127 = 0)
END;

-- A program of an earlier version calls it while both run.
CREATE OR REPLACE FUNCTION memferry.words(content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT
RETURN CASE
    WHEN octet_length(content) <= 200000 THEN to_tsvector('pg_catalog.simple', memferry.plain_text(content))
    ELSE memferry.words_of_long_text(memferry.plain_text(content))
END;

CREATE INDEX memories_by_words ON memferry.memories USING gin (memferry.search_keys(tenant_id, id, content));
-- ANALYZE would keep the keys of 30,000 rows side by side in memory: up to 30 GB.
ALTER INDEX memferry.memories_by_words ALTER COLUMN 1 SET STATISTICS 0;
