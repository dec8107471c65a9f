//! German.

use super::texts::{PageText, Texts};

pub const GERMAN: Texts = Texts {
    start_heading: "Telefonnummer bestätigen",
    start_what_happens: "Ihr Mobilfunkanbieter prüft, ob diese Nummer zur SIM-Karte in diesem Telefon gehört. Ohne SMS-Code, ohne Installation.",
    start_mobile_data: "Schalten Sie zuerst das WLAN aus. Ihr Anbieter erkennt die SIM-Karte an ihrer mobilen Datenverbindung, deshalb funktioniert die Prüfung nur mit mobilen Daten.",
    start_label: "Ihre Telefonnummer",
    start_hint: "Mit + und Landesvorwahl, zum Beispiel +49\u{a0}151\u{a0}00000001",
    start_button: "Prüfen",
    retrieve_what_happens: "Ihr Mobilfunkanbieter prüft, ob eine Nummer zur SIM in diesem Telefon gehört, oder nennt uns die Nummer der SIM, wenn Sie das möchten. Kein SMS-Code, nichts zu installieren.",
    retrieve_button: "Nummer dieses Telefons verwenden",
    retrieve_which: "Nummer dieses Telefons verwenden. Welchen Mobilfunkanbieter haben Sie?",
    or: "oder",
    app_asks: "{app} bittet Sie, Ihre Telefonnummer zu bestätigen, und erhält die Nummer, sobald sie bestätigt ist.",
    app_button: "Für {app} prüfen",
    error_prefix: "Fehler: ",
    number_empty: "Geben Sie Ihre Telefonnummer ein.",
    number_without_country: "Beginnen Sie mit + und der Landesvorwahl, zum Beispiel +49.",
    number_with_other_characters: "Eine Telefonnummer besteht aus + und den Ziffern 0 bis 9. Bitte prüfen Sie Ihre Eingabe.",
    number_length: "Eine Telefonnummer hat 5 bis 15 Ziffern nach dem +. Bitte prüfen Sie Ihre Eingabe.",
    number_zero_in_brackets: "Eine 0 in Klammern ist nicht eindeutig. Schreiben Sie die Nummer so, wie man sie aus dem Ausland wählt, zum Beispiel +49\u{a0}151\u{a0}00000001.",
    number_trunk_zero: "Schreiben Sie die Nummer so, wie man sie aus dem Ausland wählt, ohne die 0 nach der Landesvorwahl, zum Beispiel +49\u{a0}151\u{a0}00000001.",
    number_double_meaning: "Eine Nummer mit 001 am Anfang ist nicht eindeutig. Beginnen Sie stattdessen mit + und der Landesvorwahl.",
    try_again: "Erneut versuchen",
    another_way: "Auf anderem Weg bestätigen",
    to_start: "Zur Startseite",
    back_to_app: "Zurück zu {app}",
    number_ending_in: "Telefonnummer mit den Endziffern",
    reference: "Referenz für den Support:",
    privacy: "Datenschutz",
    not_found: PageText {
        heading: "Diese Seite gibt es nicht",
        meaning: "Die Adresse ist vielleicht unvollständig oder veraltet.",
        next: "Um eine Telefonnummer zu bestätigen, beginnen Sie auf der Startseite.",
    },
    method_not_allowed: PageText {
        heading: "Diese Seite lässt sich so nicht öffnen",
        meaning: "Sie ist ein Zwischenschritt einer Prüfung.",
        next: "Um eine Telefonnummer zu bestätigen, beginnen Sie auf der Startseite.",
    },
    foreign_start: PageText {
        heading: "Diese Prüfung wurde nicht hier gestartet",
        meaning: "Eine andere Website hat versucht, sie für Sie zu starten. Deshalb wurde sie abgebrochen.",
        next: "Wenn Sie Ihre Nummer bestätigen möchten, beginnen Sie auf der Startseite.",
    },
    unsupported_media_type: PageText {
        heading: "Diese Anfrage war nicht lesbar",
        meaning: "Die Telefonnummer kam in einer Form an, die hier nicht gelesen wird.",
        next: "Geben Sie sie auf der Startseite ein; Programme senden ein Formular oder JSON.",
    },
    closed_address: PageText {
        heading: "Diese Adresse ist geschlossen",
        meaning: "Der Dienst hat eine andere öffentliche Adresse.",
        next: "Gehen Sie zurück zu der App oder Website, von der Sie kommen.",
    },
    unknown_app: PageText {
        heading: "Diese App ist hier nicht bekannt",
        meaning: "Der Link, der Sie hierher gebracht hat, nennt eine App oder eine Adresse, die nicht registriert ist.",
        next: "Gehen Sie zur App zurück und versuchen Sie es erneut. Passiert das wieder, melden Sie es dem Support der App.",
    },
    embedded: PageText {
        heading: "Diese Seite muss für sich allein geöffnet werden",
        meaning: "Eine andere Website hat versucht, sie in ihrer eigenen Seite oder im Hintergrund zu öffnen. Deshalb wurde sie angehalten.",
        next: "Gehen Sie zurück zu der App, von der Sie kommen, und beginnen Sie noch einmal.",
    },
    verified: PageText {
        heading: "Telefonnummer bestätigt",
        meaning: "Ihr Mobilfunkanbieter hat bestätigt, dass diese Nummer zur SIM-Karte in diesem Telefon gehört.",
        next: "Fertig. Sie können diese Seite schließen und dort weitermachen, wo Sie begonnen haben.",
    },
    not_verified: PageText {
        heading: "Nummer passt nicht zum Mobilfunkanschluss",
        meaning: "Laut Ihrem Mobilfunkanbieter hat die SIM-Karte, die dieses Telefon für mobile Daten nutzt, eine andere Nummer.",
        next: "Prüfen Sie die Nummer auf Tippfehler. Wenn Ihr Telefon zwei SIM-Karten hat, stellen Sie die mobilen Daten auf die Karte mit dieser Nummer um.",
    },
    invalid_request: PageText {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Die Adresse dieser Seite ist unvollständig oder falsch.",
        next: "Beginnen Sie von vorn, und ändern Sie die Adresse nicht.",
    },
    invalid_state: PageText {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Diese Prüfung hat zu lange gedauert, oder ihre Adresse ist unvollständig.",
        next: "Beginnen Sie noch einmal von vorn.",
    },
    wrong_browser: PageText {
        heading: "Gehen Sie dorthin zurück, wo Sie begonnen haben",
        meaning: "Diese Prüfung wurde in einem anderen Browser oder einer anderen App gestartet und kann nur dort abgeschlossen werden.",
        next: "Wenn Ihnen jemand diesen Link geschickt hat, machen Sie nicht weiter. Wenn Sie selbst begonnen haben, starten Sie in diesem Browser neu und lassen Sie Cookies zu.",
    },
    expired_code: PageText {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Die Antwort des Anbieters wurde bereits verwendet oder ist abgelaufen.",
        next: "Beginnen Sie noch einmal von vorn.",
    },
    access_denied: PageText {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Sie oder Ihr Mobilfunkanbieter haben die Prüfung abgelehnt.",
        next: "Schalten Sie das WLAN aus, beginnen Sie von vorn, und stimmen Sie der Prüfung zu, wenn Ihr Anbieter danach fragt.",
    },
    not_on_mobile_network: PageText {
        heading: "WLAN ausschalten und erneut versuchen",
        meaning: "Ihr Mobilfunkanbieter hat dieses Telefon nicht in seinem Netz gesehen. Deshalb konnte die Nummer nicht geprüft werden.",
        next: "Schalten Sie WLAN und VPN aus und die mobilen Daten ein. Versuchen Sie es dann erneut.",
    },
    not_covered: PageText {
        heading: "Diese Nummer lässt sich so nicht prüfen",
        meaning: "Für diese Nummer ist die Prüfung nicht verfügbar.",
        next: "Wenn die Nummer stimmt, hilft ein neuer Versuch nicht. Bitte bestätigen Sie sie auf anderem Weg.",
    },
    operator_refused: PageText {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Ihr Mobilfunkanbieter hat die Prüfung nicht durchgeführt.",
        next: "Beginnen Sie von vorn. Wenn es wieder passiert, nennen Sie dem Support bitte die hier gezeigte Referenz.",
    },
    misconfigured: PageText {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Es liegt nicht an Ihnen: Dieser Dienst ist nicht richtig eingerichtet.",
        next: "Ein neuer Versuch hilft im Moment nicht. Bitte nennen Sie dem Support die hier gezeigte Referenz.",
    },
    operator_error: PageText {
        heading: "Die Nummer konnte nicht geprüft werden",
        meaning: "Es liegt nicht an Ihnen: Der Mobilfunkanbieter hat keine brauchbare Antwort gegeben.",
        next: "Versuchen Sie es gleich noch einmal.",
    },
    operator_busy: PageText {
        heading: "Die Nummer kann gerade nicht geprüft werden",
        meaning: "Es liegt nicht an Ihnen: Die Prüfung ist vorübergehend nicht verfügbar.",
        next: "Warten Sie eine Minute, und versuchen Sie es dann erneut.",
    },
    operator_timeout: PageText {
        heading: "Die Nummer konnte nicht rechtzeitig geprüft werden",
        meaning: "Es liegt nicht an Ihnen: Die Prüfung hat zu lange gedauert.",
        next: "Versuchen Sie es gleich noch einmal.",
    },
};
