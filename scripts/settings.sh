# settings.sh
#    The documented environment variables that the database decides, as server settings.  Sourced by "up" and by the
#    container's entrypoint.
#
# What a variable says is remembered in a file of its own, for the next start without it; a secret that nobody gave is
# made once.  The settings go into a file that only the server's user can read, never through SQL, which may be logged.
# shellcheck shell=sh

# remember FOLDER VARIABLE [DEFAULT] prints the variable's value: of the environment, else of last time, else the default.
remember() {
    eval "value=\${$2:-}"
    if [ -n "$value" ]; then
        (umask 077 && printf '%s' "$value" >"$1/$2")
    elif [ -s "$1/$2" ]; then
        value=$(cat "$1/$2")
    else
        value=${3:-}
    fi
    printf '%s' "$value"
}

# remember_secret FOLDER VARIABLE is the same for a secret, which is made where there is none.
remember_secret() {
    if [ ! -s "$1/$2" ]; then (umask 077 && random_hex 32 >"$1/$2"); fi
    remember "$1" "$2"
}

# setting NAME VALUE prints a line of a configuration file; nothing for an empty value.
setting() {
    [ -n "$2" ] || return 0
    printf "%s = '%s'\n" "$1" "$(printf '%s' "$2" | tr -d '\n' | sed "s/['\\\\]/&&/g")"
}

# decided_settings FOLDER DEFAULT_ENVIRONMENT prints the settings; what it remembers is in the folder.
decided_settings() {
    mkdir -p "$1" && chmod 700 "$1"
    environment=$(remember "$1" RUST_ENV "$2")
    [ "$environment" != dev ] || environment=development
    setting spooled.environment "$environment"
    setting spooled.jwt_secret "$(remember_secret "$1" JWT_SECRET)"
    setting spooled.jwt_expiration_hours "$(remember "$1" JWT_EXPIRATION_HOURS)"
    setting spooled.admin_key_hash "$(remember_secret "$1" ADMIN_API_KEY | sha256sum | cut -c 1-64)"
    setting spooled.registration_mode "$(remember "$1" REGISTRATION_MODE)"
    setting spooled.email_signup_enabled "$(remember "$1" EMAIL_SIGNUP_ENABLED)"
    setting spooled.external_url "$(remember "$1" EXTERNAL_URL "${BASE_URL:-}")"
    if [ "$environment" = production ]; then setting spooled.api_key_prefix sk_live_; fi
}
