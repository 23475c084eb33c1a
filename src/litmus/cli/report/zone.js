"use strict";
// The reader's own time beside each time in UTC; the page is complete without it.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
if (new Date().getTimezoneOffset() !== 0) {
  const lang = document.documentElement.lang;
  const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "shortOffset" });
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!isNaN(at)) time.dataset.local = clock.format(at);
  }
  const said = document.querySelector(".zone");
  if (said) said.textContent = said.dataset.said.replace("{zone}", zone);
}
