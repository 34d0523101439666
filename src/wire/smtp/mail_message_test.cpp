// SPDX-License-Identifier: Apache-2.0
#include "wire/smtp/mail_message.hpp"

#include <gtest/gtest.h>

#include "base/text/encoding.hpp"

namespace andon::wire {
namespace {

const base::Timestamp kNow = *base::parse_iso8601("2026-11-22T10:00:00Z");

Mail mail(std::string subject, std::string text) {
  return {.from = "andon@plant.example",
          .to = "eva@plant.example",
          .subject = std::move(subject),
          .text = std::move(text),
          .id = "7-1"};
}

std::string body_of(const std::string& text) {
  std::string encoded;
  for (const char c : text.substr(text.find("\r\n\r\n") + 4)) {
    if (c != '\r' && c != '\n') encoded += c;
  }
  return base::from_base64(encoded).value();
}

TEST(MailMessage, HasItsHeadAndItsTextEncoded) {
  const std::string text = to_mail_text(mail("line-1 is gone", "one\n.\ntwo"), kNow);
  EXPECT_TRUE(
      text.starts_with("Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
                       "From: <andon@plant.example>\r\nTo: <eva@plant.example>\r\n"
                       "Subject: line-1 is gone\r\nMessage-ID: <7-1@plant.example>\r\n"))
      << text;
  EXPECT_EQ(body_of(text), "one\r\n.\r\ntwo");
}

TEST(MailMessage, ASubjectAddsNoFieldsAndIsCut) {
  const std::string text =
      to_mail_text(mail("gone\r\nBcc: others@else.example\r\n\r\nbody", ""), kNow);
  EXPECT_EQ(text.find("\r\nBcc:"), std::string::npos) << text;
  const std::string long_one = to_mail_text(mail(std::string(5000, 'x'), ""), kNow);
  EXPECT_LT(long_one.size(), 1000U);
}

TEST(MailMessage, ASubjectInAnyLanguageIsOfWordsThatFitALine) {
  std::string subject;
  for (int i = 0; i < 40; ++i) subject += "\u00e4";  // two bytes each: no word may part one
  const std::string text = to_mail_text(mail(subject, ""), kNow);
  const std::size_t start = text.find("Subject: ") + 9;
  std::string head = text.substr(start, text.find("\r\nMessage-ID") - start);
  std::string read;
  std::size_t at = 0;
  while ((at = head.find("=?UTF-8?B?", at)) != std::string::npos) {
    const std::size_t end = head.find("?=", at);
    EXPECT_LE(end + 2 - at, 75U);
    const std::string word = base::from_base64(head.substr(at + 10, end - at - 10)).value();
    EXPECT_EQ(word.size() % 2, 0U);
    read += word;
    at = end;
  }
  EXPECT_EQ(read, subject);
}

TEST(MailMessage, AnAddressIsANameAtAHostAndNothingElse) {
  for (const char* good : {"eva@plant.example", "a.b+c@h", "shift-1@[x].example"}) {
    EXPECT_EQ(is_mail_address(good), std::string(good).find('[') == std::string::npos) << good;
  }
  for (const char* bad : {"", "eva", "@h", "eva@", "eva @h", "eva@h>", "\"a b\"@h", "eva@h\r\nX: y",
                          "a@b@c", "-eva@h", "eva@.h", "eva@-h"}) {
    EXPECT_FALSE(is_mail_address(bad)) << bad;
  }
  EXPECT_FALSE(is_mail_address(std::string(65, 'a') + "@h"));
  EXPECT_FALSE(is_mail_address("a@" + std::string(254, 'h')));
}

}  // namespace
}  // namespace andon::wire
