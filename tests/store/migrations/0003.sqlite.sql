ALTER TABLE observation_points ADD COLUMN hook VARCHAR(16);
UPDATE observation_points SET hook=? WHERE observation_points.kind IN (?, ?) AND observation_points.hook IS NULL;
ALTER TABLE observation_points_history ADD COLUMN hook VARCHAR(16);
UPDATE observation_points_history SET hook=? WHERE observation_points_history.kind IN (?, ?) AND observation_points_history.hook IS NULL;
