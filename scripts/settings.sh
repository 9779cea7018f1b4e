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

# plan_number VARIABLE VALUE prints what a limit is in JSON; what is no number stops with the variable's name.  Only what is
# counted (MAX_..., but not the size of a payload) can be without a limit.
plan_number() {
    case $1:$2 in
        *_MAX_PAYLOAD_SIZE_BYTES:*[!0-9]*) die "$1 is \"$2\": it must be a number from 0 on" ;;
        *_MAX_*:unlimited | *_MAX_*:none | *_MAX_*:null | *_MAX_*:-1) printf null ;;
        *: | *:*[!0-9]*) die "$1 is \"$2\": it must be a number from 0 on, or for what is counted unlimited" ;;
        *) printf %s "$2" ;;
    esac
}

# plan_statements prints the SQL that writes SPOOLED_PLAN_* into the database, the more particular over the more general;
# nothing when none is set.
plan_statements() {
    for tier in FREE STARTER PRO ENTERPRISE; do
        fields=
        for field in MAX_JOBS_PER_DAY MAX_ACTIVE_JOBS MAX_QUEUES MAX_WORKERS MAX_API_KEYS MAX_SCHEDULES MAX_WORKFLOWS MAX_WEBHOOKS \
            MAX_PAYLOAD_SIZE_BYTES RATE_LIMIT_RPS RATE_LIMIT_BURST JOB_RETENTION_DAYS HISTORY_RETENTION_DAYS; do
            eval "value=\${SPOOLED_PLAN_${tier}_$field:-}"
            [ -n "$value" ] || continue
            number=$(plan_number "SPOOLED_PLAN_${tier}_$field" "$value") || exit 1
            name=$(printf %s "$field" | tr '[:upper:]' '[:lower:]')
            [ "$field" != RATE_LIMIT_RPS ] || name=rate_limit_requests_per_second
            fields="$fields${fields:+, }\"$name\": $number"
        done
        eval "own=\${SPOOLED_PLAN_${tier}_LIMITS_JSON:-}"
        [ -n "${SPOOLED_PLAN_LIMITS_JSON:-}$own$fields" ] || continue
        cat <<SQL
INSERT INTO spooled.plan_limits
SELECT lower('$tier'), (coalesce($(quoted "${SPOOLED_PLAN_LIMITS_JSON:-{\}}")::jsonb -> lower('$tier'), '{}') || $(quoted "${own:-{\}}")::jsonb || '{$fields}')::text::json
ON CONFLICT (tier) DO UPDATE SET limits = excluded.limits;
SQL
    done
}

# quoted TEXT prints a text as SQL does.
quoted() {
    printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"
}
