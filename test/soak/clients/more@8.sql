\set u random(0, 999)
\set i random(0, 799)
SELECT count(*) FROM mf_similar_items(:i::bigint, 5, 'ratings');
SELECT count(*) FROM mf_similar_users(:u::bigint, 5, 'ratings');
SELECT count(*) FROM mf_explain(:u::bigint, :i::bigint, 5, 'ratings');
SELECT count(*) FROM mf_recommend_for(ARRAY[:i, :i / 2]::bigint[], NULL, 5, 'ratings');
SELECT count(*) FROM mf_predictions(:u::bigint, NULL, 'ratings');
