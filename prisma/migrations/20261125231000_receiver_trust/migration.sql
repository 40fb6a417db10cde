-- OAuth2 client credentials among a subscription's credentials; a client certificate and authorities of its own, sealed
-- before they come here; and the failures that come with these and with an egress proxy.
alter table subscription
  drop constraint subscription_auth_type,
  add constraint subscription_auth_type
    check (auth_type in ('basic', 'bearer', 'api_key', 'oauth2_client_credentials')),
  add column tls_sealed bytea,
  add column tls_shown jsonb,
  add constraint subscription_tls_whole check ((tls_sealed is null) = (tls_shown is null));

alter table attempt
  drop constraint attempt_failure_code,
  add constraint attempt_failure_code check (failure_code in (
    'dns_not_found', 'connect_refused', 'connect_timeout', 'connection_reset', 'tls_expired', 'tls_untrusted', 'tls_error',
    'response_timeout', 'response_malformed', 'http_3xx', 'http_4xx', 'http_410', 'http_429', 'http_5xx', 'blocked_address',
    'auth_failed', 'egress_proxy_failed', 'aborted', 'internal_error'
  ));
