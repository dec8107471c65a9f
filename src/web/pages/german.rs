//! German.

use super::texts::{Answer, Texts};

pub const GERMAN: Texts = Texts {
    lang: "de",
    start_heading: "Telefonnummer bestätigen",
    start_what_happens: "Ihr Mobilfunkanbieter prüft, ob diese Nummer zur SIM in diesem Telefon gehört. Ohne SMS-Code, ohne Installation.",
    start_mobile_data: "Schalten Sie zuerst das WLAN aus. Ihr Anbieter erkennt die SIM an ihrer mobilen Datenverbindung, deshalb klappt die Prüfung nur mit mobilen Daten.",
    start_label: "Ihre Telefonnummer",
    start_hint: "Mit + und Landesvorwahl, zum Beispiel +49\u{a0}151\u{a0}00000001",
    start_button: "Prüfen",
    error_prefix: "Fehler: ",
    number_empty: "Geben Sie Ihre Telefonnummer ein.",
    number_without_country: "Beginnen Sie mit + und der Landesvorwahl, zum Beispiel +49.",
    number_with_other_characters: "Eine Telefonnummer besteht nur aus + und Ziffern. Bitte prüfen Sie Ihre Eingabe.",
    number_length: "Eine Telefonnummer hat 5 bis 15 Ziffern nach dem +. Bitte prüfen Sie Ihre Eingabe.",
    try_again: "Erneut versuchen",
    another_way: "Anders bestätigen",
    to_start: "Zum Anfang",
    number_ending_in: "Telefonnummer mit den letzten Ziffern",
    reference: "Referenz für den Support:",
    privacy: "Datenschutz",
    not_found: Answer {
        heading: "Diese Seite gibt es nicht",
        meaning: "Die Adresse ist vielleicht unvollständig oder veraltet.",
        next: "Um eine Telefonnummer zu bestätigen, beginnen Sie am Anfang.",
    },
    method_not_allowed: Answer {
        heading: "Diese Seite lässt sich so nicht öffnen",
        meaning: "Sie ist ein Schritt mitten in einer Prüfung.",
        next: "Um eine Telefonnummer zu bestätigen, beginnen Sie am Anfang.",
    },
    foreign_start: Answer {
        heading: "Diese Prüfung wurde nicht hier gestartet",
        meaning: "Eine andere Website wollte sie für Sie starten; deshalb wurde sie angehalten.",
        next: "Wenn Sie Ihre Nummer bestätigen möchten, beginnen Sie am Anfang.",
    },
    verified: Answer {
        heading: "Telefonnummer bestätigt",
        meaning: "Ihr Mobilfunkanbieter hat bestätigt, dass diese Nummer zur SIM in diesem Telefon gehört.",
        next: "Fertig. Sie können diese Seite schließen und dort weitermachen, wo Sie waren.",
    },
    not_verified: Answer {
        heading: "Nummer passt nicht zum Mobilfunkanschluss",
        meaning: "Laut Ihrem Mobilfunkanbieter hat die SIM, die dieses Telefon für mobile Daten nutzt, eine andere Nummer.",
        next: "Prüfen Sie die Nummer auf Tippfehler. Hat Ihr Telefon zwei SIMs, stellen Sie die mobilen Daten auf die SIM mit dieser Nummer um.",
    },
    invalid_request: Answer {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "In der Adresse dieser Seite fehlt etwas, oder sie stimmt nicht.",
        next: "Beginnen Sie von vorn, und ändern Sie die Adresse unterwegs nicht.",
    },
    invalid_state: Answer {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Diese Prüfung hat zu lange gedauert, oder ihre Adresse ist unvollständig.",
        next: "Beginnen Sie noch einmal von vorn.",
    },
    wrong_browser: Answer {
        heading: "Gehen Sie dorthin zurück, wo Sie begonnen haben",
        meaning: "Diese Prüfung wurde in einem anderen Browser oder einer anderen App gestartet und lässt sich nur dort beenden.",
        next: "Hat Ihnen jemand diesen Link geschickt, machen Sie nicht weiter. Haben Sie selbst begonnen, starten Sie in diesem Browser neu und lassen Sie Cookies zu.",
    },
    expired_code: Answer {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Die Antwort des Anbieters wurde schon verwendet oder ist zu alt.",
        next: "Beginnen Sie noch einmal von vorn.",
    },
    access_denied: Answer {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Sie oder Ihr Mobilfunkanbieter haben die Prüfung abgelehnt.",
        next: "Beginnen Sie von vorn, und stimmen Sie der Prüfung zu, wenn Ihr Anbieter fragt.",
    },
    not_on_mobile_network: Answer {
        heading: "WLAN ausschalten und erneut versuchen",
        meaning: "Ihr Mobilfunkanbieter hat dieses Telefon nicht in seinem Netz gesehen; deshalb konnte die Nummer nicht geprüft werden.",
        next: "Schalten Sie WLAN und VPN aus und die mobilen Daten ein, dann versuchen Sie es erneut.",
    },
    misconfigured: Answer {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Es liegt nicht an Ihnen: Dieser Dienst ist nicht richtig eingerichtet.",
        next: "Ein neuer Versuch hilft im Moment nicht. Bitte nennen Sie dem Support die hier gezeigte Referenz.",
    },
    operator_error: Answer {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Es liegt nicht an Ihnen: Der Mobilfunkanbieter hat keine brauchbare Antwort gegeben.",
        next: "Versuchen Sie es gleich noch einmal.",
    },
    operator_busy: Answer {
        heading: "Die Nummer kann gerade nicht geprüft werden",
        meaning: "Es liegt nicht an Ihnen: Der Mobilfunkanbieter ist überlastet.",
        next: "Warten Sie eine Minute, dann versuchen Sie es erneut.",
    },
    operator_timeout: Answer {
        heading: "Die Nummer konnte nicht rechtzeitig geprüft werden",
        meaning: "Es liegt nicht an Ihnen: Der Mobilfunkanbieter hat zu lange nicht geantwortet.",
        next: "Versuchen Sie es gleich noch einmal.",
    },
};
