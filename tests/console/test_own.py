# SPDX-License-Identifier: Apache-2.0
"""What anybody does for themselves: change a password, look what the keyboard does."""
from conftest import PASSWORD
from test_screens import accessible


def test_a_user_changes_their_password_where_the_account_lets_them(watched, alone):
    iam = alone.server.aws("iam")
    iam.create_user(UserName="otto")
    iam.create_login_profile(UserName="otto", Password=PASSWORD)
    iam.attach_user_policy(UserName="otto", PolicyArn="arn:aws:iam::aws:policy/AndonViewerAccess")
    page = watched.sign_in("otto").page

    def change(old, new):
        page.get_by_role("button", name="otto").click()
        dialog = page.get_by_role("dialog", name="Change your password")
        dialog.get_by_label("Password now").fill(old)
        dialog.get_by_label("New password").fill(new)
        dialog.get_by_role("button", name="Change").click()
        return dialog
    dialog = change(PASSWORD, "Line-9-is-green")
    assert "iam:ChangePassword" in dialog.get_by_role("alert").inner_text()
    assert accessible(page) == []
    dialog.get_by_role("button", name="Cancel").click()
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    dialog = change("not it", "Line-9-is-green")
    assert "incorrect" in dialog.get_by_role("alert").inner_text()
    dialog.get_by_role("button", name="Cancel").click()
    change(PASSWORD, "Line-9-is-green")
    page.get_by_text("Your password is changed").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("User", exact=True).fill("otto")
    page.get_by_label("Password", exact=True).fill("Line-9-is-green")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Fleet").wait_for()
    assert not watched.problems


def test_the_keys_are_told_of_by_a_key(watched):
    page = watched.sign_in().page
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.get_by_text("Result: confirm").wait_for()
    assert accessible(page) == []
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.get_by_role("heading", name="Audit").wait_for()
