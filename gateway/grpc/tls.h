/*
 * tls.h
 *    The certificate of the gRPC port.
 */
#ifndef GATEWAY_GRPC_TLS_H
#define GATEWAY_GRPC_TLS_H

#include <grpc/grpc_security.h>

/*
 * tls_credentials reads the certificate and the key that the settings name; NULL: it can't, and the log says why.  When the
 * files change, new connections get the new ones; as long as those can't be used, the last ones.
 */
extern grpc_server_credentials *tls_credentials(void);

#endif
