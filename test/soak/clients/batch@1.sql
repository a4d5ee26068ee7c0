SELECT count(*) FROM mf_recommend_all(5, 'ratings');
SELECT count(*) FROM mf_recommend_all_text(5, 'clicks');
SELECT length(mf_report('ratings'));
