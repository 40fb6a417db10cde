-- Finds events by the trace in which they were published. Events without one are not in it.
create index event_trace_idx on event (substr(traceparent, 4, 32), tenant_id, id) where traceparent is not null;
