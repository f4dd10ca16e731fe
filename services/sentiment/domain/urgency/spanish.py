"""Spanish."""

from shared.events import Urgency

NEGATIONS = "no nunca jamás sin ningún ninguna nadie tampoco ni"
CONTRACT = (
    "suscripción/suscripciones/contrato/cuenta/cuentas/membresía/plan/servicio/línea/póliza/seguro/abono/tarifa/licencia/"
    "subscripción/contratos"
)
THING = (
    "servicio/sistema/página/web/sitio/servidor/servidores/internet/app/aplicación/plataforma/red/línea/portal/señal/conexión/luz"
)
TWICE = "dos_veces/tres_veces/2_veces/doble/por_duplicado/duplicado/varias_veces/dos_cargos/3_veces"
CHARGED = "cobr*/cobrado/cobraron/cargado/cargaron/cargo/descont*/debit*/factur*/descontaron"
NTH = (
    "segunda/tercera/cuarta/quinta/sexta/séptima/décima/enésima/segundo/tercer/cuarto/quinto/sexto/tercero/3a/4a/3ra/4ta/enésimo"
)
COUNT = (
    "dos/tres/cuatro/cinco/seis/siete/ocho/diez/varias/varios/muchas/muchos/múltiples/numerosos/numerosas/innumerables/mil/"
    "2/3/4/5/6"
)
LETTERS = (
    "correo/correos/mail/mails/email/emails/mensaje/mensajes/llamada/llamadas/reclamo/reclamos/reclamación/reclamaciones/"
    "ticket/tickets/"
    "solicitud/solicitudes/consulta/consultas/intento/intentos/queja/quejas"
)
TELL = (
    "escrib*/escrito/escribo/llamé/llamar/llamando/llamado/llamo/contact*/reclam*/pido/pedido_ayuda/solicit*/report*/"
    "comunic*/insist*/enviado/envío/envié/mandado/pregunt*/explic*"
)

URGENT: dict[Urgency, str] = {
    "legal_threat": """
demandar*/demandarles/demandarlos/demandaré/demandaremos
demand* ~ contra/judicial/judicialmente/legal/a_la_empresa/a_ustedes
mi/mis/nuestro/nuestra/nuestros/un/una abogad*/letrado
abogad* ~ se/les/pondrá/contact*/escrib*
tribunales/juzgado/juzgados/ir_a_juicio/llevar_a_juicio/llevarlos_a_juicio
acciones/medidas/vías/acción/vía/medida/proceso legales/legal/judiciales/judicial/jurídicas
poner/poniendo/pondré/interpon*/present*/haré/hacer ~ ?una denuncia/demanda
denunci*/denunciar*/denunciaré ~ ?a ante/en/policía/profeco/consumo/empresa/ustedes/los/les/fraude/./,/si
los/les/voy_a ~ denunci*
ante/en/a/al ~ profeco/consumo/consumidor/ocu/facua/condusef/policía/defensor/indecopi/sernac
reclamación/queja/reclamo ... consumo/consumidor/omic
profeco/facua/condusef/indecopi/sernac
por la vía legal/judicial
iremos/iré/voy/vamos/vayamos/ir/llegaré ~ a ~ juicio/tribunales/juzgado/corte/justicia/juez
ante/con ~ juez/tribunal/tribunales/juzgado/autoridades/abogado/abogados
daños_y_perjuicios/burofax/querella/denuncia/demanda ~ ./,/contra/si/por/judicial/formal
""",
    "safety": """
incend*/se_prendió_fuego/prendió_fuego/se_quemó_el/fuego_en
en llamas/fuego
humo ~ salió/sale/saliendo/del/negro
sale/salió/salía/salir/saliendo/echa/echaba/echando humo
descarga*/choque/shock/calambrazo eléctric*
calambrazo/electrocut*
reacción/choque/reacciones alérgic*
quem* ~ mano/manos/dedo/dedos/brazo/cara/piel/pierna
me/se quem* ~ la/el/con
explot*/explosión/estalló
lastim*/herido/herida/hirió/lesion*/heridas
al_hospital/en_el_hospital/en_urgencias/a_urgencias/hospitalizad*
ambulancia/bomberos
intoxicad*/intoxicación/envenen*
suicid*/quitarme_la_vida/matarme/hacerme_daño
frenos ~ fall*/fallaron/no
amenaz*/agredi*/golpeó/me_pegó
olor/huele ~ gas/quemado
fuga de_gas
monóxido
sarpullido/ronchas/urticaria/erupción
atragant*/asfixi*/ahogó
chispas/cortocircuito/chispazo
peligros*/peligro
vidrio/cristal/cristales/vidrios/metal ~ en ~ mi/la/el comida/yogur/sopa/pan
en_llamas/ardió/arder/se_prendió/se_encendió/quemaduras
vomit*/vómitos/diarrea/intoxicó/salmonela/mareó
rompí/rompió/fracturó/fracturé/quebró/corté/cortó ~ brazo/pierna/mano/muñeca/diente/dedo/tobillo
hinchó/hinchado/hinchada/hinchados/hincharon
no ~ respirar
quiero ~ morir/morirme
no quiero ~ vivir
acosó/acosado/golpe/golpearon/pegó ~ me/a/mi/el
médico ~ por/después/dijo
""",
    "cancellation": f"""
cancel*/anul*/cerrar/cierr*/rescind*/termin*/elimin*/borrar/borren ~ mi/mis/nuestra/nuestro/el/la/este/esta/de_mi ~ {CONTRACT}
darme/dar/doy/dé/den/damos/dado/dando ~ de_baja
de_baja ~ mi/el/la/del/./,
baja ~ ?de ?del mi/mis/el/la ~ {CONTRACT}
cambi*/cambiarme/paso/pasarme/pasar/voy/irme/me_voy ~ ?a ~ compañía/operador*/competencia/banco/proveedor/empresa/\
otra_compañía/otro_banco
a_la competencia
no ~ renov*
perdido/perdieron/pierden/perder ~ client*
dejar_de_ser client*
me voy ~ con/a ~ otra/otro/competencia
portabilidad
no ~ quiero/deseo ~ ?ser ?más client*/servicio/continuar/seguir
dejo/dejamos/dejar/abandono ~ ?de su/la/esta/ser ~ compañía/empresa/banco/servicio/cliente
busc*/buscando ~ otra/otro/nuevo/nueva ~ compañía/proveedor/banco/operador*/empresa
me/nos ~ cambi*/paso/voy/vamos ~ a/con ~ movistar/vodafone/orange/claro/otra/otro/competencia
poner_fin/dar_por_terminado/finalizar ~ mi/el/contrato
""",
    "outage": f"""
{THING} ~ está/están/estaba/sigue/lleva ~ caído/caída/caídos/caídas/inaccesible/fuera_de_servicio/parado/inoperativo/\
colgado/bloqueado/offline/muerto
cayó/cae/caído/caída/caídos/cayeron ~ {THING}
{THING} ~ cayó/caído/caída/caídos/cayeron/no_responde/no_funciona/no_carga/no_anda
fuera de servicio/línea
no ~ podemos/puedo/puede/pueden/hemos_podido/pude ~ trabajar/vender/facturar/cobrar/operar
imposible trabajar
sin/no_hay/no_tengo/ni ~ internet/servicio/luz/señal/línea/conexión/agua_caliente/agua/red/cobertura/sistema/electricidad
nadie ~ puede/logra/consigue/pueden ~ entrar/acceder/conectar*/trabajar/iniciar
apagón/corte_de_luz/corte_de_servicio/corte_total/interrupción
no funciona/anda nada
nada funciona
todo ~ parado/caído/bloqueado/paralizado
estamos parados/paralizados/bloqueados
no carga/funciona ~ para ~ nadie
error 500/502/503
{THING} ~ no ~ funciona/abre/carga/responde/sirve/anda
{THING} ~ se ~ cayó/cae/colgó/fue
todo ~ muerto/apagado/fuera/sin
no ~ hay/tenemos/tengo ~ internet/luz/línea/señal/servicio/conexión/agua
clientes ~ no ~ pueden
incomunicad*
""",
    "money_taken": f"""
{CHARGED} ... {TWICE}
{TWICE}/doble ~ {CHARGED}/cobro/cargo/pago
cobro/cobros/cargo/cargos/pago/pagos/débito/transacción/transacciones/retiro/compra ~ no ~ autoriz*/reconoc*/reconozco/hice/\
solicit*
cobro/cobros/cargo/cargos/transacción/compra/retiro ~ fraudulent*/indebid*/desconocid*/duplicad*/sospechos*
{CHARGED} ... sin ~ autoriza*/permiso/consentimiento/avisar/mi
sin ~ autoriza*/permiso/consentimiento ... {CHARGED}
no ~ reconozco ~ cargo/cobro/pago/compra
no/todavía/aún/nunca/sigo/espera*/esperando ... devuel*/devolución/reembols*/devolv*/reintegro/mi_dinero
niegan/niega/niegas/rechaz*/nieg* ... reembols*/devol*/dinero
devuel*/devuélvan*/regres*/quiero ~ mi/nuestro dinero
dónde está ~ mi dinero/reembolso
fraude/fraudulent*/estafado/estafada/estafaron/me_estafaron/clonaron/clonada
robaron/robado/robó/hackearon/hackeado/hackeada ?mi
alguien ~ usó/usado/utiliz*/compr*/accedió ~ mi ~ cuenta/tarjeta
sacaron/sacado/quitaron/retiraron ~ dinero ?de
cobr*/cobraron ~ de_más/demás/algo_que_no
ladrones/ladrón/robo/estafa/estafadores/timo/hurto
{CHARGED} ... no/nunca/cancel*/baja
dos/tres/doble cargos/cobros/pagos
dónde/cuándo ... mi_dinero/reembolso/devolución/devolver*
pagué/pagado ... no/nunca/nada ~ recib*/llegó/entreg*
desconocido/alguien ... mi_tarjeta/mi_cuenta
devuélv*/devuelv*/reembols* ~ dinero/ya/inmediatamente
""",
    "repeated_contact": f"""
{NTH} vez ... {TELL}/hablo
por {NTH} vez ~ {TELL}/,/les/que
{NTH} {LETTERS}
{TELL} ... {COUNT} veces
{COUNT} veces ~ ?que ~ {TELL}
{TELL} ~ repetid*/reiterad*/una_y_otra_vez
{COUNT}/mis ~ {LETTERS} ... sin/nadie/ninguna/no/nada
después/tras/luego/pese/a_pesar ~ {COUNT} {LETTERS}
sin respuesta
nadie ~ respond*/contest*/me_llama/atiende/me_responde/me_contesta
no ~ respond*/contest*/han_respondido ~ a ~ mis {LETTERS}
no ~ recib*/recibido/tengo/obtenido ~ respuesta
ninguna respuesta
cada_vez ... llamo
llevo ~ semanas/meses/días ~ llamando/escribiendo/pidiendo/reclamando
espero/esperando/espera ... respuesta/contestación/llamada
llevo/llevamos ~ semanas/meses/días/semana/mes ~ {TELL}/esperando/intentando
harto/harta/cansado/cansada/hartos ~ de ~ {TELL}/llamar/repetir/esperar/escribir/insistir
cuántas/cuántos ~ veces/correos/llamadas/mensajes ~ ?que tengo/hay/debo/más/he/necesito
me ~ ignor*/pasan/mandan/tienen ~ ?de uno/un/ignor*/completamente/./,
nadie ~ ayuda/hace/devuelve/soluciona/contacta/escribe
sigo/seguimos/sin/continúo ~ sin respuesta/noticias/solución
{COUNT} ~ {LETTERS} ... ni
""",
}

UNLESS: dict[Urgency, str] = {
    "legal_threat": """
no ~ hizo_falta
""",
    "safety": """
jugador/jugadores/partido/película/juego
sabor
""",
    "cancellation": """
cancel* ~ pedido/reserva/cita/vuelo
en_cualquier_momento
ahora ~ feliz/contento/contenta
""",
    "outage": """
nunca ~ caído/caída/caídos/caídas/cayó
mejor
""",
    "money_taken": """
devolvieron/devuelto/reembolsaron ~ dinero ~ enseguida/rápido/gracias/rápidamente
enseguida/rápidamente
cuánto tarda/tiempo
""",
    "repeated_contact": """
compro/pedido_aquí/comprado/compré
me_ayudaron
""",
}
