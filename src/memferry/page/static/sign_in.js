// A link to sign in has its secret behind the #, which no browser sends: it is posted once, and leaves the history.
export function redeemLink() {
  const form = document.getElementById("sign-in");
  const secret = location.hash.slice(1);
  if (!form || !secret.startsWith("mfl_")) return;
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.token.value = secret;
  if ("redeemsLink" in form.dataset) form.requestSubmit();
}
