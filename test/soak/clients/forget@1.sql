\set u random(1000, 1020)
BEGIN;
DELETE FROM ratings WHERE user_id = :u;
SELECT mf_forget_user(:u::bigint, 'ratings');
COMMIT;
