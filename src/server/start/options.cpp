// SPDX-License-Identifier: Apache-2.0
#include "server/start/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <type_traits>

#include "api/endpoints/allowed_hosts.hpp"
#include "api/git/git_places.hpp"
#include "api/lambda/lambda.hpp"
#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"
#include "fleet/messages/job_message.hpp"
#include "fleet/names/topic.hpp"
#include "options/usage_error.hpp"
#include "server/broker/listening_port.hpp"
#include "wire/http/url.hpp"
#include "wire/otlp/otlp_sender.hpp"
#include "wire/smtp/mail_message.hpp"
#include "wire/smtp/smtp_client.hpp"
#include "wire/syslog/syslog.hpp"
#include "workflow/modeljobs/image_commands.hpp"

namespace andon::server {
namespace {

constexpr std::size_t kMaxHosts = 100;

bool is_host(const std::string& text) {
  return text.size() <= 253 && base::is_name_of(text, "-.:");
}

template <typename Number>
struct Bounds {
  const char* unit;
  Number least;
  Number most;
};

template <typename Number>
void add_number(CLI::App& app, const char* name, Number& number,
                const Bounds<std::type_identity_t<Number>>& bounds, const char* help) {
  app.add_option(name, number, help)
      ->type_name(bounds.unit)
      ->check(CLI::Range(bounds.least, bounds.most))
      ->capture_default_str();
}

void add_function_options(CLI::App& app, ServerOptions& options) {
  add_number(app, "--functions", options.functions_at_once, {"COUNT", 1, 120},
             "How many sandboxes of functions there are at once; a call that finds no room is "
             "throttled");
  add_number(app, "--function-idle", options.function_idle_seconds, {"SECONDS", 1, 86'400},
             "How long a function's sandbox is kept warm without a call");
  app.add_option(
         "--function-python", options.function_python,
         "Python packages (boto3, say) that every function can import: a directory, seen as "
         "/var/python")
      ->type_name("DIR");
  app.add_option(
         "--function-images", options.function_images,
         "YAML file: what stands for container images here; each of its images has an image, "
         "a directory and a handler")
      ->type_name("FILE");
  app.add_flag("--function-requirements", options.function_requirements,
               "Install what the requirements.txt of a function names, with this machine's pip");
  app.add_option("--function-pip-config", options.function_pip_config,
                 "Settings of pip for that, instead of the machine's: a pip.conf that names an "
                 "index or a directory of packages of one's own")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  add_number(app, "--function-first-user", options.function_first_user,
             {"UID", 1000U, 4'294'900'000U},
             "As root each sandbox of a function has a user of its own: 128 numbers from this "
             "one on");
}

void check_otlp(const ServerOptions& options) {
  const auto refuse = [](const std::string& text) { throw options::UsageError(text); };
  if (options.otlp.empty()) {
    if (!options.otlp_headers.empty()) refuse("--otlp-headers: is for --otlp, which is missing");
    if (!options.otlp_ca.empty()) refuse("--otlp-ca: is for --otlp, which is missing");
    return;
  }
  try {
    wire::check_otlp_url(options.otlp);
  } catch (const base::Error& error) {
    refuse("--otlp: " + error.message());
  }
  try {
    if (!options.otlp_headers.empty()) {
      (void)wire::read_otlp_headers(base::read_file(options.otlp_headers));
    }
  } catch (const base::Error& error) {
    refuse("--otlp-headers: " + error.message());
  }
  if (!options.otlp_ca.empty() && !base::fs::is_regular_file(options.otlp_ca)) {
    refuse("--otlp-ca '" + options.otlp_ca + "' is no file");
  }
}

void check_mail(const ServerOptions& options) {
  const auto refuse = [](const std::string& text) { throw options::UsageError(text); };
  if (options.mail_server.empty()) {
    if (!options.mail_from.empty() || !options.mail_login.empty() || !options.mail_to.empty() ||
        !options.mail_ca.empty() || options.mail_plain) {
      refuse(
          "--mail-from, --mail-to, --mail-login, --mail-ca and --mail-plain are for "
          "--mail-server, which is missing");
    }
    return;
  }
  try {
    wire::check_smtp_url(options.mail_server);
  } catch (const base::Error& error) {
    refuse("--mail-server: " + error.message());
  }
  if (!wire::is_mail_address(options.mail_from)) {
    refuse("--mail-from '" + options.mail_from + "' must be the address that mails come from");
  }
  if (options.mail_to.size() > kMaxHosts) refuse("--mail-to may name at most 100 addresses");
  for (const std::string& to : options.mail_to) {
    if (!wire::is_mail_address(to.starts_with('@') ? "x" + to : to)) {
      refuse("--mail-to '" + to + "' is no address, and no @DOMAIN");
    }
  }
  if (options.mail_plain && options.mail_server.starts_with("smtps:")) {
    refuse("--mail-plain: smtps:// is never without TLS");
  }
  if (options.mail_plain && !options.mail_login.empty()) {
    refuse("--mail-login: a password is not sent without TLS (--mail-plain)");
  }
  try {
    (void)mail_login_of(options);
  } catch (const base::Error& error) {
    refuse("--mail-login: " + error.message());
  }
  if (!options.mail_ca.empty() && !base::fs::is_regular_file(options.mail_ca)) {
    refuse("--mail-ca '" + options.mail_ca + "' is no file");
  }
}

void add_mail_options(CLI::App& app, ServerOptions& options) {
  app.add_option("--mail-server", options.mail_server,
                 "A mail server for what rules send to addresses: smtp://HOST:587 (STARTTLS) or "
                 "smtps://HOST")
      ->type_name("URL");
  app.add_option("--mail-from", options.mail_from, "The address that these mails come from")
      ->type_name("ADDRESS");
  app.add_option("--mail-to", options.mail_to,
                 "Who may get mails: addresses and @DOMAIN; none named: the domain of --mail-from")
      ->type_name("ADDRESS");
  app.add_option("--mail-login", options.mail_login,
                 "File with the user of the mail server and the password, a line each")
      ->type_name("FILE");
  app.add_option("--mail-ca", options.mail_ca,
                 "PEM file with whom to believe there, instead of the system's store")
      ->type_name("FILE");
  app.add_flag("--mail-plain", options.mail_plain,
               "The mail server has no TLS: mails go through the network as they are");
}

void check_sign_on(const ServerOptions& options) {
  const auto refuse = [](const std::string& text) { throw options::UsageError(text); };
  constexpr std::size_t kMostRoles = 20;
  const std::string& url = options.console_url;
  if (!url.empty()) {
    const auto read = wire::read_url(url);
    if (!read || url.ends_with('/') || read->path != "/" || !read->query.empty()) {
      refuse("--console-url '" + url + "' must be https://HOST[:PORT], without a path");
    }
  }
  if (options.sign_on_issuer.empty()) {
    if (!options.sign_on_client.empty() || !options.sign_on_secret.empty() ||
        !options.sign_on_roles.empty()) {
      refuse(
          "--sign-on-client, --sign-on-secret and --sign-on-role are for --sign-on, which is "
          "missing");
    }
    return;
  }
  if (!options.sign_on_issuer.starts_with("https://") || !wire::read_url(options.sign_on_issuer)) {
    refuse("--sign-on '" + options.sign_on_issuer + "' must be an issuer, https://...");
  }
  if (options.sign_on_client.empty()) refuse("--sign-on needs --sign-on-client, its name there");
  if (options.sign_on_roles.empty() || options.sign_on_roles.size() > kMostRoles) {
    refuse("--sign-on needs --sign-on-role, the ARNs of 1 to 20 roles that may be taken");
  }
  for (const std::string& role : options.sign_on_roles) {
    if (!role.starts_with("arn:aws:iam::") || role.find(":role/") == std::string::npos) {
      refuse("--sign-on-role '" + role + "' is no ARN of a role (aws iam get-role)");
    }
  }
  try {
    (void)sign_on_secret_of(options);
  } catch (const base::Error& error) {
    refuse("--sign-on-secret: " + error.message());
  }
}

void add_sign_on_options(CLI::App& app, ServerOptions& options) {
  app.add_option("--sign-on", options.sign_on_issuer,
                 "An OpenID provider (its issuer) at which people may sign in to the console; IAM "
                 "must know it, too (create-open-id-connect-provider)")
      ->type_name("ISSUER");
  app.add_option("--sign-on-client", options.sign_on_client, "The console's client id there")
      ->type_name("ID");
  app.add_option("--sign-on-secret", options.sign_on_secret,
                 "File with the client's secret; without one it is a public client")
      ->type_name("FILE");
  app.add_option("--sign-on-role", options.sign_on_roles,
                 "A role that may be taken so; who gets which its trust policy says")
      ->type_name("ARN");
  app.add_option("--console-url", options.console_url,
                 "How people reach the console, where a proxy stands before it: https://HOST; else "
                 "as the browser asks")
      ->type_name("URL");
}

}  // namespace

std::string sign_on_secret_of(const ServerOptions& options) {
  if (options.sign_on_secret.empty()) return {};
  constexpr std::size_t kMostSecret = 4096;
  const std::string text = base::read_file(options.sign_on_secret, kMostSecret);
  const std::string secret(base::trim(text, " \t\r\n"));
  if (!secret.empty()) return secret;
  throw base::Error(base::ErrorCode::invalid_argument, "'" + options.sign_on_secret + "' is empty");
}

MailLogin mail_login_of(const ServerOptions& options) {
  if (options.mail_login.empty()) return {};
  constexpr std::size_t kMostLogin = 4096;
  const std::string text = base::read_file(options.mail_login, kMostLogin);
  std::vector<std::string> lines;
  for (const std::string_view line : base::split(text, '\n')) {
    lines.emplace_back(base::trim(line, "\r"));
  }
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.size() != 2 || lines[0].empty() || lines[1].empty()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "'" + options.mail_login +
                          "' must have two lines: the user of the mail server, and the password");
  }
  return {lines[0], lines[1]};
}

void add_server_options(CLI::App& app, ServerOptions& options) {
  app.add_option("--data", options.data, "Data directory; made if absent")
      ->type_name("DIR")
      ->required();
  app.add_option("--api-address", options.api_address,
                 "Where the operator API listens; TLS unless it is a loopback address")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_option("--api-port", options.api_port, "Its port; 0 is any free one")
      ->type_name("PORT")
      ->capture_default_str();
  app.add_option(
         "--api-certificate", options.api_certificate,
         "PEM file with the plant's own certificate for --api-address, and those between it and "
         "its authority; read again when it changes, and on SIGHUP. Else the server's own CA signs")
      ->type_name("FILE");
  app.add_option("--api-key", options.api_key,
                 "PEM file with its private key, without a password, which only its owner and "
                 "group may read")
      ->type_name("FILE");
  app.add_option("--device-address", options.device_address,
                 "Where devices are listened for (HTTPS and MQTT, both with mutual TLS)")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_option("--device-port", options.device_port, "HTTPS port for devices; 0 is any free one")
      ->type_name("PORT")
      ->capture_default_str();
  app.add_option("--mqtt-port", options.mqtt_port, "MQTT port for devices; 0 is any free one")
      ->type_name("PORT")
      ->capture_default_str();
  app.add_option("--mqtt-users-port", options.mqtt_users_port,
                 "MQTT port for consumers with name and password (TLS); listened on once there is "
                 "such a consumer; 0 is any free one")
      ->type_name("PORT")
      ->capture_default_str();
  app.add_option("--host", options.hosts,
                 "Names and addresses by which this server is reached; devices are given the first")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--region", options.region, "AWS region that ARNs are written with")
      ->type_name("REGION")
      ->capture_default_str();
  const auto add_days = [&app](const char* name, int& days, const char* help) {
    add_number(app, name, days, {"DAYS", 1, 36'500}, help);
  };
  add_days("--device-certificate-days", options.device_certificate_days,
           "How long a device's certificate is good; the agent renews it when a third is left");
  add_days("--keep-deployments", options.keep_deployments_days,
           "How long deployments are kept that a newer one has replaced, with their jobs");
  add_days("--keep-uploads", options.keep_uploads_days,
           "How long a multipart upload may take before it is aborted");
  add_days("--keep-events", options.keep_events_days,
           "How long word of changes is kept for parts of the server that have not read it");
  app.add_flag("--disk-encrypted", options.disk_is_encrypted,
               "The disk that --data lies on is encrypted: uploads that ask for encryption at rest "
               "(x-amz-server-side-encryption AES256 or aws:kms, without a key of their own) are "
               "taken, and not refused");
  add_number(app, "--jobs", options.jobs_at_once, {"COUNT", 1, 400},
             "How many jobs of state machines run at once; the others wait");
  app.add_option("--job-path", options.job_paths,
                 "What jobs see of this machine, read-only, beside the system's programs: a Python "
                 "environment, images, /dev/nvidia0")
      ->type_name("PATH");
  app.add_option(
         "--job-images", options.job_images,
         "File (YAML or JSON) that names for container images the commands which processing "
         "and training jobs run in their place")
      ->type_name("FILE");
  app.add_option("--job-port", options.job_ports,
                 "TCP ports that a job may ask for; without them it reaches no network")
      ->type_name("PORT");
  app.add_option(
         "--job-cgroup", options.job_cgroup,
         "A delegated cgroup of version 2 for jobs; without it each process is limited, and "
         "their sum is looked at")
      ->type_name("DIR");
  add_number(app, "--job-first-user", options.job_first_user, {"UID", 1000U, 4'294'900'000U},
             "As root each running job has a user of its own: 400 numbers from this one on");
  add_function_options(app, options);
  add_number(app, "--device-uploads", options.device_uploads_gib, {"GIB", 1, 1'000'000},
             "How much one device may have in bucket andon-uploads");
  add_days("--keep-executions", options.keep_executions_days,
           "How long executions of state machines are kept after their end, with their histories");
  add_number(app, "--keep-logs", options.keep_logs_days, {"DAYS", 0, 36'500},
             "How long log events are kept of groups that have no retention of their own; 0 is "
             "until there is no room");
  const auto add_mib = [&app](const char* name, int& mib, const char* help) {
    add_number(app, name, mib, {"MIB", 1, 1'048'576}, help);
  };
  add_mib("--log-group-mib", options.log_group_mib,
          "Room for the events of one log group; its oldest go first");
  add_mib("--logs-mib", options.logs_mib,
          "Room for all log events; the oldest of the largest group go first");
  add_days("--keep-results", options.keep_results_days,
           "How long results of devices are kept, with what was said of them");
  add_mib("--results-mib", options.results_mib,
          "Room for all results; the oldest of the device with most go first");
  add_number(app, "--keep-features", options.keep_features_days, {"DAYS", 0, 36'500},
             "How long rows of feature groups' offline stores are kept for queries once they "
             "are in S3; 0 is until there is no room");
  add_mib("--features-mib", options.features_mib,
          "Room for the feature store; rows that are in S3 go first, then nothing more is taken");
  add_number(app, "--feature-export", options.feature_export_seconds, {"SECONDS", 1, 86'400},
             "How long a row of an offline store waits for its object in S3");
  add_number(app, "--query-seconds", options.query_seconds, {"SECONDS", 1, 86'400},
             "How long a query (Athena) may run");
  add_days("--keep-audit", options.keep_audit_days, "How long entries of the audit log are kept");
  add_mib("--audit-mib", options.audit_mib, "Room for the audit log; its oldest entries go first");
  app.add_option(
         "--backups", options.backups,
         "Where the backups go that the API is asked for (andon backup create): a directory, "
         "best on another disk; else `backups` below --data")
      ->type_name("DIR");
  add_number(app, "--keep-backups", options.keep_backups, {"COUNT", 1, 1000},
             "How many of these are kept; the oldest go");
  app.add_option("--audit-syslog", options.audit_syslog,
                 "Where each entry of the audit log is told, too: unix:/dev/log, udp:HOST:PORT or "
                 "tcp:HOST:PORT (RFC 5424)")
      ->type_name("TARGET");
  app.add_option(
         "--otlp", options.otlp,
         "A collector of OpenTelemetry (OTLP over HTTP) that is told the server's log, each "
         "entry of the audit log, and the metrics: http://HOST:4318")
      ->type_name("URL");
  app.add_option("--otlp-headers", options.otlp_headers,
                 "File with the headers of each request to it, NAME: VALUE a line (a token, say)")
      ->type_name("FILE");
  app.add_option("--otlp-ca", options.otlp_ca,
                 "PEM file with whom to believe there, instead of the system's store")
      ->type_name("FILE");
  add_number(app, "--otlp-metrics", options.otlp_metrics_seconds, {"SECONDS", 1, 3600},
             "How often it is told the metrics");
  add_mail_options(app, options);
  app.add_option("--result-consumers", options.result_consumers,
                 "Who must have stored a result before its device forgets it: `server` is the "
                 "server's own store; `none` alone: it is enough that a subscriber has it")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--http-allow", options.http_allow,
                 "Hosts that workflows may call (http:invoke): HOST, HOST:PORT, *.DOMAIN, or with "
                 "http:// before it")
      ->type_name("HOST");
  app.add_option("--git-allow", options.git_allow,
                 "Repositories that builds may fetch and that may be watched: HOST, HOST:PORT, "
                 "*.DOMAIN, http://HOST, or a directory (file:///DIRECTORY/...)")
      ->type_name("PLACE");
  app.add_option_function<std::vector<std::string>>(
         "--oidc-keys",
         [&options](const std::vector<std::string>& given) {
           for (const std::string& one : given) {
             const std::size_t equals = one.find('=');
             if (!one.starts_with("https://") || equals == std::string::npos ||
                 equals + 1 == one.size()) {
               throw CLI::ValidationError("--oidc-keys",
                                          "must be ISSUER=FILE or ISSUER=URL, where "
                                          "the issuer begins with https://");
             }
             options.oidc_keys[one.substr(0, equals)] = one.substr(equals + 1);
           }
         },
         "Where the key set (JWKS) of an OpenID provider is, ISSUER=FILE or ISSUER=URL; else it is "
         "found by the issuer's discovery document")
      ->type_name("ISSUER=PLACE");
  app.add_option("--oidc-ca", options.oidc_ca,
                 "PEM file with the authorities that are believed there; else the system's")
      ->type_name("FILE");
  add_sign_on_options(app, options);
  app.add_option("--http-ca", options.http_ca,
                 "PEM file with the authorities that are believed there; else the system's")
      ->type_name("FILE");
  app.add_option(
         "--packages", options.packages,
         "Repository of Debian packages (./dev package --repository DIR), which anybody may "
         "read at https://HOST:PORT/packages/ of the device port; it may come later")
      ->type_name("DIR");
  app.add_option("--mosquitto", options.mosquitto, "The broker's program")
      ->type_name("PROGRAM")
      ->capture_default_str();
}

namespace {

// A job has places of its own there.
void check_job_paths(const std::vector<base::fs::path>& paths) {
  for (const base::fs::path& path : paths) {
    const std::string text = path.string();
    const auto is_below = [&](std::string_view place) {
      return text == place || text.starts_with(std::string(place) + "/");
    };
    std::string problem;
    if (!path.is_absolute() || path != path.lexically_normal() || text == "/") {
      problem = "must be an absolute path, without . and .. and other than /";
    } else if (!base::fs::exists(path)) {
      problem = "is not there";
    } else if (is_below("/tmp") || is_below("/job") || is_below("/proc") ||
               (is_below("/dev") && !base::fs::is_character_file(path))) {
      problem = "cannot be seen by jobs: /tmp, /job, /proc and /dev are their own";
    }
    if (problem.empty()) continue;
    throw options::UsageError("--job-path '" + text + "' " + problem);
  }
}

}  // namespace

void check_server_options(const ServerOptions& options) {
  const auto refuse = [](const std::string& message) { throw options::UsageError(message); };
  check_job_paths(options.job_paths);
  if (!options.job_images.empty()) {
    try {
      (void)workflow::ImageCommands::load(options.job_images);
    } catch (const base::Error& error) {
      refuse("--job-images: " + error.message());
    }
  }
  if (!options.function_python.empty() && (!options.function_python.is_absolute() ||
                                           !base::fs::is_directory(options.function_python))) {
    refuse("--function-python '" + options.function_python.string() +
           "' is no absolute path of a directory");
  }
  if (!options.function_images.empty()) {
    try {
      (void)api::FunctionImages::parse(base::read_file(options.function_images),
                                       options.function_images.string());
    } catch (const base::Error& error) {
      throw options::UsageError("--function-images: " + error.message());
    }
  }
  if (options.hosts.empty() || options.hosts.size() > kMaxHosts) {
    refuse("--host must name 1 to 100 hosts");
  }
  for (const std::string& host : options.hosts) {
    if (!is_host(host)) refuse("--host '" + host + "' is not a host name or an IP address");
  }
  if (options.api_certificate.empty() != options.api_key.empty()) {
    refuse("--api-certificate and --api-key go together; one of them is missing");
  }
  if (!options.api_certificate.empty() && is_loopback(options.api_address)) {
    refuse("--api-certificate: the API has no TLS on a loopback address; give an --api-address");
  }
  if (options.region.empty() || options.region.find_first_not_of(
                                    "abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
    refuse("--region '" + options.region + "' is not a region's name, such as us-east-1");
  }
  if (options.result_consumers.size() > fleet::kMaxResultConsumers) {
    refuse("--result-consumers may name at most " + std::to_string(fleet::kMaxResultConsumers));
  }
  for (const std::string& name : options.result_consumers) {
    if (!fleet::is_consumer_name(name)) {
      refuse("--result-consumers '" + name + "' is not a name of 1 to 64 of [a-zA-Z0-9_-]");
    }
    if (name == kNoConsumer && options.result_consumers.size() > 1) {
      refuse("--result-consumers none stands alone");
    }
  }
  if (options.git_allow.size() > kMaxHosts) refuse("--git-allow may name at most 100 places");
  try {
    (void)api::GitPlaces(options.git_allow);
  } catch (const base::Error& error) {
    throw options::UsageError("--git-allow: " + error.message());
  }
  if (options.http_allow.size() > kMaxHosts) refuse("--http-allow may name at most 100 hosts");
  try {
    (void)api::AllowedHosts(options.http_allow);
  } catch (const base::Error& error) {
    throw options::UsageError("--http-allow: " + error.message());
  }
  try {
    if (!options.audit_syslog.empty()) (void)wire::parse_syslog_target(options.audit_syslog);
  } catch (const base::Error& error) {
    throw options::UsageError("--audit-syslog: " + error.message());
  }
  check_otlp(options);
  check_mail(options);
  check_sign_on(options);
  if (!options.http_ca.empty() && !base::fs::is_regular_file(options.http_ca)) {
    refuse("--http-ca '" + options.http_ca + "' is no file");
  }
  if (!options.oidc_ca.empty() && !base::fs::is_regular_file(options.oidc_ca)) {
    refuse("--oidc-ca '" + options.oidc_ca + "' is no file");
  }
  const std::uint16_t ports[] = {options.api_port, options.device_port, options.mqtt_port,
                                 options.mqtt_users_port};
  for (std::size_t i = 0; i < std::size(ports); ++i) {
    for (std::size_t j = i + 1; j < std::size(ports); ++j) {
      if (ports[i] != 0 && ports[i] == ports[j]) {
        refuse(
            "--api-port, --device-port, --mqtt-port and --mqtt-users-port must differ; two are " +
            std::to_string(ports[i]));
      }
    }
  }
}

}  // namespace andon::server
