// SPDX-License-Identifier: Apache-2.0
#include "edge/control/control_client.hpp"

#include <unistd.h>

#include <cerrno>

#include "base/error/error.hpp"
#include "edge/ipc/ipc_server.hpp"

namespace andon::edge {

wire::IpcClientOptions control_options(const Layout& layout) {
  wire::IpcClientOptions options;
  options.socket_path = ipc_socket_path(layout, std::string(kControlSocket));
  options.auth_token = "local";
  if (access(options.socket_path.c_str(), W_OK) == 0) return options;
  if (errno == EACCES) {
    throw base::Error(base::ErrorCode::permission_denied,
                      "only root, and the group of andon-edge run --control-group, may tell the "
                      "agent what to do (" +
                          options.socket_path + ")");
  }
  throw base::Error(base::ErrorCode::failed_precondition,
                    "no agent runs on " + layout.root().string() +
                        "; start one with andon-edge run, or give another --root");
}

}  // namespace andon::edge
