//! Portuguese, in words that are understood in Brazil and in Portugal.

use super::texts::{Answer, Texts};

pub const PORTUGUESE: Texts = Texts {
    lang: "pt",
    start_heading: "Verifique o seu número de telefone",
    start_what_happens: "A sua operadora móvel confirma que este número pertence ao SIM deste telefone. Sem código por SMS e sem instalar nada.",
    start_mobile_data: "Antes, desative o Wi-Fi. A operadora reconhece o SIM pela conexão de dados móveis; por isso, a verificação só funciona com dados móveis.",
    start_label: "O seu número de telefone",
    start_hint: "Com + e o código do país, por exemplo +55\u{a0}11\u{a0}90000\u{a0}0001",
    start_button: "Verificar",
    error_prefix: "Erro: ",
    number_empty: "Digite o seu número de telefone.",
    number_without_country: "Comece com + e o código do país, por exemplo +55.",
    number_with_other_characters: "Um número de telefone tem apenas + e algarismos. Confira o que digitou.",
    number_length: "Um número de telefone tem de 5 a 15 algarismos depois do +. Confira o que digitou.",
    try_again: "Tentar novamente",
    another_way: "Verificar de outra forma",
    to_start: "Ir para o início",
    number_ending_in: "Número de telefone terminado em",
    reference: "Referência para o suporte:",
    privacy: "Privacidade",
    not_found: Answer {
        heading: "Esta página não existe",
        meaning: "O endereço pode estar incompleto ou ser antigo.",
        next: "Para verificar um número de telefone, comece pelo início.",
    },
    method_not_allowed: Answer {
        heading: "Esta página não pode ser aberta assim",
        meaning: "Ela é uma etapa no meio de uma verificação.",
        next: "Para verificar um número de telefone, comece pelo início.",
    },
    foreign_start: Answer {
        heading: "Esta verificação não foi iniciada aqui",
        meaning: "Outro site tentou iniciá-la em seu nome e, por isso, ela foi interrompida.",
        next: "Se quiser verificar o seu número, comece pelo início.",
    },
    verified: Answer {
        heading: "Número de telefone verificado",
        meaning: "A sua operadora móvel confirmou que este número pertence ao SIM deste telefone.",
        next: "Pronto. Pode fechar esta página e continuar onde estava.",
    },
    not_verified: Answer {
        heading: "O número não corresponde à linha móvel",
        meaning: "A sua operadora móvel informa que o SIM usado por este telefone para dados móveis tem outro número.",
        next: "Confira se digitou o número corretamente. Se o telefone tem dois SIM, ative os dados móveis no que tem este número.",
    },
    invalid_request: Answer {
        heading: "Não foi possível verificar o número",
        meaning: "Falta alguma coisa no endereço desta página ou ele não está como deveria.",
        next: "Comece de novo e não altere o endereço durante o processo.",
    },
    invalid_state: Answer {
        heading: "Não foi possível verificar o número",
        meaning: "A verificação demorou demais ou o endereço está incompleto.",
        next: "Comece de novo desde o início.",
    },
    wrong_browser: Answer {
        heading: "Volte para onde começou",
        meaning: "Esta verificação foi iniciada em outro navegador ou aplicativo e só pode ser concluída lá.",
        next: "Se alguém lhe enviou este link, não continue. Se foi você quem a iniciou, comece de novo neste navegador, com cookies permitidos.",
    },
    expired_code: Answer {
        heading: "Não foi possível verificar o número",
        meaning: "A resposta da operadora já foi usada ou expirou.",
        next: "Comece de novo desde o início.",
    },
    access_denied: Answer {
        heading: "Não foi possível verificar o número",
        meaning: "A verificação foi recusada por você ou pela sua operadora móvel.",
        next: "Comece de novo e aceite a verificação se a operadora pedir.",
    },
    not_on_mobile_network: Answer {
        heading: "Desative o Wi-Fi e tente novamente",
        meaning: "A sua operadora móvel não encontrou este telefone na rede dela; por isso, não foi possível verificar o número.",
        next: "Desative o Wi-Fi e qualquer VPN, ative os dados móveis e tente novamente.",
    },
    misconfigured: Answer {
        heading: "Não foi possível verificar o número",
        meaning: "A culpa não é sua: este serviço não está configurado corretamente.",
        next: "Por enquanto, tentar novamente não vai ajudar. Informe ao suporte a referência mostrada aqui.",
    },
    operator_error: Answer {
        heading: "Não foi possível verificar o número",
        meaning: "A culpa não é sua: a operadora móvel não deu uma resposta válida.",
        next: "Tente novamente daqui a pouco.",
    },
    operator_busy: Answer {
        heading: "Não é possível verificar o número agora",
        meaning: "A culpa não é sua: a operadora móvel está sobrecarregada.",
        next: "Espere um minuto e tente novamente.",
    },
    operator_timeout: Answer {
        heading: "Não foi possível verificar o número a tempo",
        meaning: "A culpa não é sua: a operadora móvel demorou demais para responder.",
        next: "Tente novamente daqui a pouco.",
    },
};
