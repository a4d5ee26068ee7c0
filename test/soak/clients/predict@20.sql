\set u random(0, 1020)
\set i random(0, 799)
SELECT mf_predict(:u::bigint, :i::bigint, 'ratings'), mf_predict('user ' || :u, md5(:i::text), 'clicks');
