// SPDX-License-Identifier: Apache-2.0
#include "edge/run/component_note.hpp"

namespace andon::edge {

std::string_view to_string(NoteCode code) {
  switch (code) {
    case NoteCode::artifact_changed:
      return "ARTIFACT_CHANGED";
    case NoteCode::configuration_not_used:
      return "CONFIGURATION_NOT_USED";
    case NoteCode::streams_not_served:
      return "STREAMS_NOT_SERVED";
    case NoteCode::logs_not_sent:
      return "LOGS_NOT_SENT";
    case NoteCode::secrets_not_fetched:
      return "SECRETS_NOT_FETCHED";
    case NoteCode::messages_not_carried:
      return "MESSAGES_NOT_CARRIED";
    case NoteCode::client_devices_not_served:
      return "CLIENT_DEVICES_NOT_SERVED";
    case NoteCode::client_devices_not_known:
      return "CLIENT_DEVICES_NOT_KNOWN";
    case NoteCode::addresses_not_told:
      return "ADDRESSES_NOT_TOLD";
    case NoteCode::other_key:
      return "OTHER_KEY";
    case NoteCode::limits_not_kept:
      return "LIMITS_NOT_KEPT";
    case NoteCode::publish_refused:
      return "PUBLISH_REFUSED";
  }
  return "";
}

}  // namespace andon::edge
