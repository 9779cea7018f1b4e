/*
 * codes.h
 *    What a rule or an operation answers: a code, and for a refusal the facts that explain it.
 *
 * Rules return a code and fill a fault, so that one bad item harms no neighbour in its batch; only the entry points of
 * single calls turn a fault into an error.  The five characters of SQLSTATE class SP are the contract with the gateway.
 */
#ifndef SPL_CODES_H
#define SPL_CODES_H

typedef enum SplCode
{
	SPL_OK = 0,
	SPL_INVALID,			  /* SP001: a value is not acceptable; the field says which */
	SPL_LEASE_EXPIRED,		  /* SP002: the lease is over, or somebody else's */
	SPL_QUOTA_EXCEEDED,		  /* SP003 */
	SPL_NOT_FOUND,			  /* SP004 */
	SPL_CONFLICT,			  /* SP005: the state does not allow it */
	SPL_ACCESS_DENIED,		  /* SP006: outside the credential's queues */
	SPL_UNAUTHORIZED,		  /* SP007: nobody known is asking */
	SPL_PAYLOAD_TOO_LARGE,	  /* SP008 */
	SPL_BAD_REQUEST,		  /* SP009 */
	SPL_RATE_LIMITED,		  /* SP010 */
	SPL_FEATURE_DISABLED,	  /* SP011 */
	SPL_INVALID_JSON,		  /* SP012 */
	SPL_UNAVAILABLE,		  /* SP013: try again later */
	SPL_ADMIN_NOT_CONFIGURED, /* SP020: there is no admin key */
	SPL_ADMIN_KEY_MISSING,	  /* SP021 */
	SPL_ADMIN_KEY_INVALID,	  /* SP022 */
	SPL_BAD_PROOF,			  /* SP023: a code or signature is not the one that was expected */
	SPL_TOO_MANY_LOGINS,	  /* SP024: SP010 of logins, which has had another word for it */
} SplCode;

typedef struct SplFault
{
	SplCode		code;
	const char *field;	 /* the request's field, or NULL */
	const char *reason;	 /* machine-readable reason of a field fault, or NULL */
	const char *hint;	 /* or NULL */
	char	   *message; /* palloc'd in the caller's context; never a payload or a secret */
	char	   *details; /* a JSON object for the gateway, in place of the field's; or NULL */
} SplFault;

extern SplCode	   spl_fault(SplFault *fault, SplCode code, const char *field, const char *reason, const char *hint,
							 const char *format, ...) pg_attribute_printf(6, 7);
extern void		   spl_fault_raise(const SplFault *fault) __attribute__((noreturn));
extern const char *spl_code_sqlstate(SplCode code);
extern char		  *spl_fault_json(const SplFault *fault);

#endif
