//! Spanish, with the polite form that is usual on both sides of the Atlantic.

use super::texts::{PageText, Texts};

pub const SPANISH: Texts = Texts {
    start_heading: "Verifique su número de teléfono",
    start_what_happens: "Su operador móvil comprueba que este número corresponde a la SIM de este teléfono. Sin códigos por SMS y sin instalar nada.",
    start_mobile_data: "Primero, desactive el Wi\u{2011}Fi. El operador reconoce la SIM por su conexión de datos móviles, así que la comprobación solo funciona con datos móviles.",
    start_label: "Su número de teléfono",
    start_hint: "Con + y el prefijo del país, por ejemplo +34\u{a0}600\u{a0}000\u{a0}001",
    start_button: "Verificar",
    retrieve_what_happens: "Su operador móvil comprueba que un número corresponde a la SIM de este teléfono o, si usted lo prefiere, nos dice el número de la SIM. Sin códigos por SMS y sin instalar nada.",
    retrieve_button: "Usar el número de este teléfono",
    retrieve_which: "Usar el número de este teléfono. ¿Cuál es su operador móvil?",
    or: "o bien",
    app_asks: "{app} le pide que verifique su número de teléfono y recibirá el número una vez verificado.",
    app_button: "Verificar para {app}",
    error_prefix: "Error: ",
    number_empty: "Escriba su número de teléfono.",
    number_without_country: "Empiece por + y el prefijo del país, por ejemplo +34.",
    number_with_other_characters: "Un número de teléfono se compone de un + y las cifras del 0 al 9. Revise lo que ha escrito.",
    number_length: "Un número de teléfono tiene de 5 a 15 cifras después del +. Revise lo que ha escrito.",
    number_zero_in_brackets: "Un 0 entre paréntesis se puede leer de dos maneras. Escriba el número tal como se marca desde el extranjero, por ejemplo +593\u{a0}99\u{a0}000\u{a0}0001.",
    number_trunk_zero: "Escriba el número tal como se marca desde el extranjero, sin el 0 después del prefijo del país, por ejemplo +593\u{a0}99\u{a0}000\u{a0}0001.",
    number_double_meaning: "Un número que empieza por 001 se puede leer de dos maneras. Empiece por + y el prefijo del país.",
    try_again: "Intentar de nuevo",
    another_way: "Verificar de otra forma",
    to_start: "Ir al inicio",
    back_to_app: "Volver a {app}",
    number_ending_in: "Número de teléfono terminado en",
    reference: "Referencia para soporte:",
    privacy: "Privacidad",
    not_found: PageText {
        heading: "Esta página no existe",
        meaning: "Puede que la dirección esté incompleta o sea antigua.",
        next: "Para verificar un número de teléfono, vaya al inicio.",
    },
    method_not_allowed: PageText {
        heading: "Esta página no se puede abrir así",
        meaning: "Es un paso intermedio de una verificación.",
        next: "Para verificar un número de teléfono, vaya al inicio.",
    },
    foreign_start: PageText {
        heading: "Esta verificación no se inició aquí",
        meaning: "Otro sitio web intentó iniciarla en su nombre y por eso se detuvo.",
        next: "Si desea verificar su número, vaya al inicio.",
    },
    unsupported_media_type: PageText {
        heading: "No se ha podido leer esta solicitud",
        meaning: "El número de teléfono se ha enviado en un formato que aquí no se admite.",
        next: "Introdúzcalo en la página de inicio; los programas envían un formulario o JSON.",
    },
    closed_address: PageText {
        heading: "Esta dirección está cerrada",
        meaning: "El servicio tiene otra dirección pública.",
        next: "Vuelva a la aplicación o al sitio web desde el que ha llegado.",
    },
    unknown_app: PageText {
        heading: "Esta aplicación no se conoce aquí",
        meaning: "El enlace que le ha traído aquí nombra una aplicación o una dirección que no está registrada.",
        next: "Vuelva a la aplicación e inténtelo de nuevo. Si se repite, avise al soporte de la aplicación.",
    },
    embedded: PageText {
        heading: "Esta página debe abrirse sola",
        meaning: "Otro sitio web intentó abrirla dentro de su propia página o en segundo plano y por eso se detuvo.",
        next: "Vuelva a la aplicación desde la que ha llegado y empiece de nuevo.",
    },
    verified: PageText {
        heading: "Número de teléfono verificado",
        meaning: "Su operador móvil ha confirmado que este número corresponde a la SIM de este teléfono.",
        next: "Ya está. Puede cerrar esta página y continuar donde lo dejó.",
    },
    not_verified: PageText {
        heading: "El número no coincide con la línea móvil",
        meaning: "Su operador móvil indica que la SIM que este teléfono usa para los datos móviles tiene otro número.",
        next: "Revise que el número esté bien escrito. Si su teléfono tiene dos SIM, active los datos móviles en la de este número.",
    },
    invalid_request: PageText {
        heading: "No se pudo comprobar el número",
        meaning: "La dirección de esta página está incompleta o no es correcta.",
        next: "Vuelva a empezar y no cambie la dirección.",
    },
    invalid_state: PageText {
        heading: "No se pudo comprobar el número",
        meaning: "La verificación tardó demasiado o su dirección está incompleta.",
        next: "Vuelva a empezar desde el principio.",
    },
    wrong_browser: PageText {
        heading: "Vuelva a donde empezó",
        meaning: "Esta verificación se inició en otro navegador o en otra aplicación y solo se puede terminar allí.",
        next: "Si alguien le ha enviado este enlace, no continúe. Si la inició usted, vuelva a empezar en este navegador con las cookies permitidas.",
    },
    expired_code: PageText {
        heading: "No se pudo comprobar el número",
        meaning: "La respuesta del operador ya se ha usado o ha caducado.",
        next: "Vuelva a empezar desde el principio.",
    },
    access_denied: PageText {
        heading: "No se pudo comprobar el número",
        meaning: "Usted o su operador móvil rechazaron la comprobación.",
        next: "Desactive el Wi\u{2011}Fi, vuelva a empezar y acepte la comprobación si su operador se lo pide.",
    },
    not_on_mobile_network: PageText {
        heading: "Desactive el Wi\u{2011}Fi e inténtelo de nuevo",
        meaning: "Su operador móvil no vio este teléfono en su red, así que no se pudo comprobar el número.",
        next: "Desactive el Wi\u{2011}Fi y cualquier VPN, active los datos móviles e inténtelo de nuevo.",
    },
    not_covered: PageText {
        heading: "Este número no se puede comprobar de esta forma",
        meaning: "La comprobación no está disponible para este número.",
        next: "Si el número es correcto, no servirá de nada volver a intentarlo. Verifíquelo de otra forma.",
    },
    operator_refused: PageText {
        heading: "No se pudo comprobar el número",
        meaning: "Su operador móvil no realizó la comprobación.",
        next: "Vuelva a empezar. Si vuelve a ocurrir, indique a soporte la referencia que aparece aquí.",
    },
    misconfigured: PageText {
        heading: "No se pudo comprobar el número",
        meaning: "No es culpa suya: este servicio no está bien configurado.",
        next: "Por ahora no servirá de nada volver a intentarlo. Indique a soporte la referencia que aparece aquí.",
    },
    operator_error: PageText {
        heading: "No se pudo comprobar el número",
        meaning: "No es culpa suya: el operador móvil no dio una respuesta válida.",
        next: "Inténtelo de nuevo dentro de un momento.",
    },
    operator_busy: PageText {
        heading: "En este momento no se puede comprobar el número",
        meaning: "No es culpa suya: la comprobación no está disponible temporalmente.",
        next: "Espere un minuto e inténtelo de nuevo.",
    },
    operator_timeout: PageText {
        heading: "No se pudo comprobar el número a tiempo",
        meaning: "No es culpa suya: la comprobación tardó demasiado.",
        next: "Inténtelo de nuevo dentro de un momento.",
    },
};
