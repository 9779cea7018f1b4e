-- One enqueue, as an application calls it.
SELECT spooled.enqueue('q0', :payload::json);
