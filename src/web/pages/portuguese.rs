//! Portuguese, in words that people in Brazil and in Portugal understand.

use super::texts::{PageText, Texts};

pub const PORTUGUESE: Texts = Texts {
    start_heading: "Verifique o seu número de telefone",
    start_what_happens: "A sua operadora móvel confirma que este número pertence ao SIM deste telefone. Sem código por SMS e sem instalar nada.",
    start_mobile_data: "Antes, desative o Wi\u{2011}Fi. A operadora reconhece o SIM pela conexão de dados móveis; por isso, a verificação só funciona com dados móveis.",
    start_label: "O seu número de telefone",
    start_hint: "Com + e o código do país, por exemplo +55\u{a0}11\u{a0}90000\u{a0}0001",
    start_button: "Verificar",
    retrieve_what_happens: "A sua operadora verifica se um número pertence ao SIM deste telefone ou, se preferir, diz-nos o número do SIM. Sem código por SMS e sem instalar nada.",
    retrieve_button: "Usar o número deste telefone",
    retrieve_which: "Usar o número deste telefone. Qual é a sua operadora móvel?",
    or: "ou",
    app_asks: "{app} pede que verifique o seu número de telefone e recebe o número depois de verificado.",
    app_button: "Verificar para {app}",
    error_prefix: "Erro: ",
    number_empty: "Digite o seu número de telefone.",
    number_without_country: "Comece com + e o código do país, por exemplo +55.",
    number_with_other_characters: "Um número de telefone é formado por + e os algarismos de 0 a 9. Confira o que digitou.",
    number_length: "Um número de telefone tem de 5 a 15 algarismos depois do +. Confira o que digitou.",
    number_zero_in_brackets: "Um 0 entre parênteses pode ser lido de duas formas. Digite o número como numa chamada a partir do exterior, por exemplo +55\u{a0}11\u{a0}90000\u{a0}0001.",
    number_trunk_zero: "Digite o número como numa chamada a partir do exterior, sem o 0 depois do código do país, por exemplo +55\u{a0}11\u{a0}90000\u{a0}0001.",
    number_double_meaning: "Um número que começa com 001 pode ser lido de duas formas. Comece com + e o código do país.",
    try_again: "Tentar novamente",
    another_way: "Verificar de outra forma",
    to_start: "Ir para o início",
    back_to_app: "Voltar a {app}",
    number_ending_in: "Número de telefone terminado em",
    reference: "Referência para o suporte:",
    privacy: "Privacidade",
    not_found: PageText {
        heading: "Esta página não existe",
        meaning: "O endereço pode estar incompleto ou ser antigo.",
        next: "Para verificar um número de telefone, vá para o início.",
    },
    method_not_allowed: PageText {
        heading: "Esta página não pode ser aberta assim",
        meaning: "Ela é uma etapa no meio de uma verificação.",
        next: "Para verificar um número de telefone, vá para o início.",
    },
    foreign_start: PageText {
        heading: "Esta verificação não foi iniciada aqui",
        meaning: "Outro site tentou iniciá-la em seu nome e, por isso, ela foi interrompida.",
        next: "Se quiser verificar o seu número, vá para o início.",
    },
    unsupported_media_type: PageText {
        heading: "Não foi possível ler este pedido",
        meaning: "O número de telefone foi enviado num formato que aqui não é aceite.",
        next: "Introduza-o na página inicial; os programas enviam um formulário ou JSON.",
    },
    closed_address: PageText {
        heading: "Este endereço está fechado",
        meaning: "O serviço tem outro endereço público.",
        next: "Volte à aplicação ou ao site de onde veio.",
    },
    unknown_app: PageText {
        heading: "Esta aplicação não é conhecida aqui",
        meaning: "O link que o trouxe aqui indica uma aplicação ou um endereço que não está registrado.",
        next: "Volte à aplicação e tente novamente. Se acontecer outra vez, informe o suporte da aplicação.",
    },
    embedded: PageText {
        heading: "Esta página tem de ser aberta sozinha",
        meaning: "Outro site tentou abri-la dentro da sua própria página ou em segundo plano e, por isso, ela foi interrompida.",
        next: "Volte à aplicação de onde veio e comece de novo.",
    },
    verified: PageText {
        heading: "Número de telefone verificado",
        meaning: "A sua operadora móvel confirmou que este número pertence ao SIM deste telefone.",
        next: "Pronto. Pode fechar esta página e continuar de onde parou.",
    },
    not_verified: PageText {
        heading: "O número não corresponde à linha móvel",
        meaning: "A sua operadora móvel informa que o SIM usado por este telefone para dados móveis tem outro número.",
        next: "Confira se digitou o número corretamente. Se o telefone tem dois SIM, ative os dados móveis no que tem este número.",
    },
    invalid_request: PageText {
        heading: "Não foi possível verificar o número",
        meaning: "O endereço desta página está incompleto ou incorreto.",
        next: "Comece de novo e não altere o endereço.",
    },
    invalid_state: PageText {
        heading: "Não foi possível verificar o número",
        meaning: "A verificação demorou demais ou o endereço está incompleto.",
        next: "Comece de novo.",
    },
    wrong_browser: PageText {
        heading: "Volte para onde começou",
        meaning: "Esta verificação foi iniciada em outro navegador ou aplicativo e só pode ser concluída lá.",
        next: "Se alguém lhe enviou este link, não continue. Se foi você quem a iniciou, comece de novo neste navegador, com cookies permitidos.",
    },
    expired_code: PageText {
        heading: "Não foi possível verificar o número",
        meaning: "A resposta da operadora já foi usada ou expirou.",
        next: "Comece de novo.",
    },
    access_denied: PageText {
        heading: "Não foi possível verificar o número",
        meaning: "A verificação foi recusada por você ou pela sua operadora móvel.",
        next: "Desative o Wi\u{2011}Fi, comece de novo e aceite a verificação se a operadora pedir.",
    },
    not_on_mobile_network: PageText {
        heading: "Desative o Wi\u{2011}Fi e tente novamente",
        meaning: "A sua operadora móvel não encontrou este telefone na rede dela; por isso, não foi possível verificar o número.",
        next: "Desative o Wi\u{2011}Fi e qualquer VPN, ative os dados móveis e tente novamente.",
    },
    not_covered: PageText {
        heading: "Este número não pode ser verificado desta forma",
        meaning: "A verificação não está disponível para este número.",
        next: "Se o número estiver correto, tentar novamente não vai ajudar. Verifique-o de outra forma.",
    },
    operator_refused: PageText {
        heading: "Não foi possível verificar o número",
        meaning: "A sua operadora móvel não fez a verificação.",
        next: "Comece de novo. Se acontecer outra vez, informe ao suporte a referência mostrada aqui.",
    },
    misconfigured: PageText {
        heading: "Não foi possível verificar o número",
        meaning: "A culpa não é sua: este serviço não está configurado corretamente.",
        next: "Por enquanto, tentar novamente não vai ajudar. Informe ao suporte a referência mostrada aqui.",
    },
    operator_error: PageText {
        heading: "Não foi possível verificar o número",
        meaning: "A culpa não é sua: a operadora móvel não deu uma resposta válida.",
        next: "Tente novamente daqui a pouco.",
    },
    operator_busy: PageText {
        heading: "Não é possível verificar o número agora",
        meaning: "A culpa não é sua: a verificação está temporariamente indisponível.",
        next: "Espere um minuto e tente novamente.",
    },
    operator_timeout: PageText {
        heading: "Não foi possível verificar o número a tempo",
        meaning: "A culpa não é sua: a verificação demorou demais.",
        next: "Tente novamente daqui a pouco.",
    },
};
