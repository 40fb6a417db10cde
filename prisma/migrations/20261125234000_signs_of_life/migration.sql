-- A dispatcher that is killed is known to be dead at once: a lock of its session ends with it. What it leaves to its
-- successors stands here. Null for those that hold no such lock, because they are of an older version.
alter table dispatcher add column shard_jobs uuid[];
