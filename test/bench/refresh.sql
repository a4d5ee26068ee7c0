-- The targets of `refresh`.
INSERT INTO bench.goals
    SELECT format('1%% new items, %s rows each, %s, %s order: times training', rows, feedback, layout), NULL, -1, 0.1
      FROM unnest('{10,all}'::text[]) AS rows, unnest('{implicit,explicit}'::text[]) AS feedback, unnest('{user,random}'::text[]) AS layout;
