// SPDX-License-Identifier: Apache-2.0
#include "fleet/provisioning/enrol_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/os/process.hpp"

namespace andon::fleet {
namespace {

using testing::HasSubstr;
using testing::Not;

EnrolLine example() {
  return {"https://server.plant:8443", std::string("\x98\x33\x00'\n", 5),
          "-----BEGIN CERTIFICATE-----\nMIIB+a/b==\n-----END CERTIFICATE-----\n",
          "andon1.eyJ1cmwiOiJo-_c", ""};
}

TEST(EnrolLine, IsOneLineThatAShellReads) {
  const std::string line = to_shell(example());
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_THAT(line, HasSubstr("https://server.plant:8443/packages/ stable main"));
  EXPECT_THAT(line, HasSubstr("server.plant { CaInfo "));
  EXPECT_THAT(line, HasSubstr("Proxy::server.plant \"DIRECT\";"));
  base::Process shell({.arguments = {"sh", "-n", "-c", line}});
  EXPECT_TRUE(shell.wait(std::chrono::seconds{10}).value().ok());
}

// The certificate is written as it was.
TEST(EnrolLine, PrintsTheCertificateOutOfOneLine) {
  const std::string line = to_shell(example());
  const std::size_t begin = line.find("printf -- ");
  const std::string print = line.substr(begin, line.find(" >keyrings/andon-ca.pem") - begin);
  const base::TemporaryDirectory directory;
  const std::string file = directory.path() / "ca.pem";
  base::Process shell({.arguments = {"sh", "-c", print + " >" + file}});
  EXPECT_TRUE(shell.wait(std::chrono::seconds{10}).value().ok());
  EXPECT_EQ(base::read_file(file), example().ca_pem);
}

TEST(EnrolLine, HandsTheTokenToNoProgramAsAnArgument) {
  const std::string line = to_shell(example());
  EXPECT_THAT(line, HasSubstr("printf %s 'andon1.eyJ1cmwiOiJo-_c' | /usr/lib/andon/enrol)"));
}

TEST(EnrolLine, LeadsAptAndTheAgentThroughAProxy) {
  EnrolLine through = example();
  through.proxy = "http://proxy.plant:3128";
  const std::string line = to_shell(through);
  EXPECT_THAT(line, HasSubstr("Proxy::server.plant \"http://proxy.plant:3128\";"));
  EXPECT_THAT(line, HasSubstr("| ANDON_PROXY='http://proxy.plant:3128' /usr/lib/andon/enrol)"));
  base::Process shell({.arguments = {"sh", "-n", "-c", line}});
  EXPECT_TRUE(shell.wait(std::chrono::seconds{10}).value().ok());
  for (const char* proxy : {"proxy:3128", "ftp://proxy", "http://", "http://a'b:1", "http://a b",
                            "http://user:password@proxy:3128", "http://proxy/\";"}) {
    through.proxy = proxy;
    EXPECT_THROW((void)to_shell(through), base::Error) << proxy;
  }
}

TEST(EnrolLine, RefusesWhatAShellOrAptWouldReadOtherwise) {
  for (const char* url : {"https://[::1]:8443", "http://server:8443", "https://a'b:8443",
                          "https://a b", "https://", "https://host:1/x"}) {
    EnrolLine line = example();
    line.url = url;
    EXPECT_THROW((void)to_shell(line), base::Error) << url;
  }
  EnrolLine line = example();
  line.ca_pem = "'; rm -rf /";
  EXPECT_THROW((void)to_shell(line), base::Error);
  line = example();
  line.token = "andon1.'x";
  EXPECT_THROW((void)to_shell(line), base::Error);
  line = example();
  line.repository_key = std::string(5'000, 'x');
  EXPECT_THROW((void)to_shell(line), base::Error);
}

}  // namespace
}  // namespace andon::fleet
